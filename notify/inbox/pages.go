package inbox

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/boxoffice/boxoffice/ticketing"
)

// shown is how many messages the list shows.
const shown = 200

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"words": func(k ticketing.MessageKind) string { return strings.ReplaceAll(string(k), "_", " ") },
	"first": func(text string) string {
		line := strings.Join(strings.Fields(text), " ")
		if runes := []rune(line); len(runes) > 90 {
			return string(runes[:90]) + "…"
		}
		return line
	},
}).Parse(pagesHTML))

// policy lets a message show its own pictures and styles, and nothing else: no script, nothing from elsewhere.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'self'; form-action 'none'"

// Handler shows the folder: the list at /, a message at /messages/{id}, and the list for programs at /messages.json.
func (f *Folder) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", f.list)
	mux.HandleFunc("GET /messages/{id}", f.show)
	mux.HandleFunc("GET /messages.json", f.listJSON)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func (f *Folder) list(w http.ResponseWriter, _ *http.Request) {
	kept, err := f.Messages(shown)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	render(w, "list", kept)
}

func (f *Folder) listJSON(w http.ResponseWriter, _ *http.Request) {
	kept, err := f.Messages(shown)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if kept == nil {
		kept = []Kept{}
	}
	encoded, err := json.Marshal(kept)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encoded)
}

func (f *Folder) show(w http.ResponseWriter, r *http.Request) {
	kept, err := f.Message(r.PathValue("id"))
	if errors.Is(err, errNone) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	render(w, "message", struct {
		Kept

		Page string
	}{kept, page(kept)})
}

// page is a mail as a page of its own: pictures inside, links in a new window.
func page(k Kept) string {
	html := k.HTML
	for _, image := range k.Images {
		html = strings.ReplaceAll(html, "cid:"+image.ID, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(image.PNG))
	}
	return `<base target="_blank">` + html
}

func render(w http.ResponseWriter, name string, data any) {
	var text strings.Builder
	if err := pages.ExecuteTemplate(&text, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, text.String())
}
