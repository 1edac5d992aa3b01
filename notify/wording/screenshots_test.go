package wording_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

// chromium is the browser's program; empty if there is none on this machine.
func chromium() string {
	if path := os.Getenv("BOXOFFICE_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// viewer is one browser that shows mails.
type viewer struct {
	t      *testing.T
	ctx    context.Context
	folder string
}

func openViewer(t *testing.T) *viewer {
	t.Helper()
	program := chromium()
	if program == "" {
		t.Skip("no Chromium: `make test` installs one")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	folder, err := filepath.Abs("../../artefacts/screenshots/mails")
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(folder))
	require.NoError(t, os.MkdirAll(folder, 0o750))
	require.NoError(t, chromedp.Do(ctx)) // starts the browser
	return &viewer{t, ctx, folder}
}

func (v *viewer) dark(dark bool) {
	v.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: map[bool]string{true: "dark", false: "light"}[dark]}}
	_, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	require.NoError(v.t, err)
}

func (v *viewer) width(width int64) {
	v.t.Helper()
	var mobile []chromedp.EmulateViewportOption
	if width < 600 {
		mobile = append(mobile, chromedp.EmulateMobile)
	}
	require.NoError(v.t, chromedp.Do(v.ctx, chromedp.EmulateViewport(width, 860, mobile...)))
}

// show looks at a mail with its pictures, keeps what is seen, and checks that nothing is cut off.
func (v *viewer) show(mail notify.Content, name string) {
	v.t.Helper()
	page := mail.HTML
	for _, image := range mail.Images {
		page = strings.ReplaceAll(page, "cid:"+image.ID+`"`, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(image.PNG)+`"`)
	}
	file := filepath.Join(v.t.TempDir(), "mail.html")
	require.NoError(v.t, os.WriteFile(file, []byte(page), 0o600))
	require.NoError(v.t, chromedp.Do(v.ctx, chromedp.Navigate("file://"+file)))
	picture, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(90))
	require.NoError(v.t, err)
	require.NoError(v.t, os.WriteFile(filepath.Join(v.folder, name+".jpeg"), picture, 0o600))
	faults, err := chromedp.Run(v.ctx, chromedp.Evaluate[[]string](lookForFaults))
	require.NoError(v.t, err)
	require.Empty(v.t, faults, name)
}

// lookForFaults asks the page for what a designer would object to before seeing it.
const lookForFaults = `(() => {
	const faults = [], width = document.documentElement.clientWidth
	if (document.documentElement.scrollWidth > width) faults.push('wider than the screen')
	for (const e of document.querySelectorAll('h1, h2, p, a, span, td, img')) {
		const box = e.getBoundingClientRect()
		if (box.width && (box.left < 0 || box.right > width + 1)) faults.push('cut off: ' + e.textContent.slice(0, 40))
	}
	for (const e of document.images) if (!e.complete || e.naturalWidth !== e.width || !e.alt) faults.push('no picture: ' + e.alt)
	const button = document.querySelector('.button a').getBoundingClientRect()
	if (button.height < 44) faults.push('a button too low for a finger: ' + button.height)
	const bright = colour => {
		const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		return 0.2126 * r + 0.7152 * g + 0.0722 * b
	}
	for (const e of document.querySelectorAll('h1, h2, p, a, span, td, td > div')) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue
		let behind = e
		while (behind && getComputedStyle(behind).backgroundColor.endsWith(', 0)')) behind = behind.parentElement
		if (!behind) { faults.push('nothing behind: ' + e.textContent.slice(0, 40)); continue }
		const [light, dark] = [bright(getComputedStyle(e).color), bright(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a)
		const contrast = (light + 0.05) / (dark + 0.05)
		if (contrast < 4.5) faults.push('hard to read (' + contrast.toFixed(1) + '): ' + e.textContent.slice(0, 40))
	}
	return faults
})()`

// TestMailsAsTheyAreSeen shows every mail in one browser, on a phone and on a desktop, some of them in the dark and some with
// names of a length nobody would choose; the pictures are kept to be looked at.
func TestMailsAsTheyAreSeen(t *testing.T) {
	v := openViewer(t)
	w := words(t)
	for _, width := range []int64{390, 800} {
		v.width(width)
		for _, language := range wording.Languages {
			for _, kind := range ticketing.MessageKinds {
				mail, err := w.Render(ticketing.ChannelMail, language, factsFor(language, kind))
				require.NoError(t, err)
				v.show(mail, fmt.Sprintf("%s.%s.%d", kind, language, width))
			}
		}
	}
	for _, width := range []int64{390, 800} {
		v.width(width)
		v.dark(true)
		for _, kind := range []ticketing.MessageKind{ticketing.MessagePaid, ticketing.MessageRefunded, ticketing.MessageEventCancelled, ticketing.MessageHoldExpiring, ticketing.MessageExpired} {
			v.show(render(t, ticketing.ChannelMail, "en", english(kind)), fmt.Sprintf("dark.%s.%d", kind, width))
		}
		v.dark(false)
		for language, long := range map[string]string{
			"en":    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft & <friends>",
			"zh-CN": strings.Repeat("北方的湖与南方的河", 12),
		} {
			f := factsFor(language, ticketing.MessagePaid)
			f.Name, f.Organiser, f.Title, f.Venue = long, long, text(long, long), text(long, long)
			f.Tickets[0].Name, f.Lines[0].Name = text(long, long), text(long, long)
			f.Total = ticketing.Money{Amount: 123456789012, Currency: "IDR"}
			v.show(render(t, ticketing.ChannelMail, language, f), fmt.Sprintf("long.%s.%d", language, width))
		}
	}
}
