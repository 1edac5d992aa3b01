package stripetest

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

var pageOf = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Checkout</title>
<body>
<h1>{{.Description}}</h1>
<p id="amount">{{.Amount}} {{.Currency}}</p>
{{if .Open}}<form method="post" action="/c/pay/{{.ID}}/pay"><button id="pay">Pay</button></form>
<form method="post" action="/c/pay/{{.ID}}/decline"><button id="decline">Pay with a card that is declined</button></form>
<form method="post" action="/c/pay/{{.ID}}/later"><button id="later">Pay by bank debit</button></form>
{{if .Declined}}<p id="declined">Your card was declined.</p>{{end}}
{{if .CancelURL}}<p><a id="back" href="{{.CancelURL}}">Back</a></p>{{end}}
{{else}}<p id="ended">This checkout session has {{.Status}}.</p>{{end}}
</body></html>`))

// page is where a payer pays.
func (g *Gateway) page(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lapse()
	s, refused := g.sessionByID(r.PathValue("id"))
	if refused != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pageOf.Execute(w, map[string]any{
		"ID": s.ID, "Description": s.Description, "Amount": s.Amount, "Currency": strings.ToUpper(s.Currency), "Open": s.Status == "open",
		"Status": s.Status, "CancelURL": s.CancelURL, "Declined": s.Intent != nil && s.Intent.LastError != "",
	})
}

// press is a button of the page.
func (g *Gateway) press(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	s, refused := g.sessionByID(r.PathValue("id"))
	g.mu.Unlock()
	if refused != nil {
		http.NotFound(w, r)
		return
	}
	steps := map[string]func(string) error{"pay": g.Pay, "decline": g.DeclineCard, "later": g.PayLater}
	step, known := steps[r.PathValue("step")]
	if !known {
		http.NotFound(w, r)
		return
	}
	to := "/c/pay/" + s.ID
	if err := step(s.Reference); err == nil && r.PathValue("step") != "decline" {
		to = strings.ReplaceAll(s.SuccessURL, "{CHECKOUT_SESSION_ID}", s.ID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// PayURL is the page of a number; empty if there is none.
func (g *Gateway) PayURL(number string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.byReference(number); s != nil {
		return fmt.Sprintf("%s/c/pay/%s", g.url, s.ID)
	}
	return ""
}
