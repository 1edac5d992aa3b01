package systemtest

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

// travels names who travels with a ticket: the n-th of a form.
func (b *shop) travels(form string, n int, name, document, number string) {
	b.t.Helper()
	field := func(part string) string { return fmt.Sprintf("%s-%d-%s", form, n, part) }
	for part, text := range map[string]string{"name": name, "number": number} {
		b.see(id(field(part)))
		b.do(chromedp.Focus(chromedp.CSS(id(field(part)))))
		b.run(`document.activeElement.select()`)
		b.fill(field(part), text)
	}
	b.do(chromedp.SetValue(chromedp.CSS(id(field("type"))), document))
	b.run(fmt.Sprintf(`document.querySelector(%q).dispatchEvent(new Event('change', {bubbles: true}))`, id(field("type"))))
}

// TestABrowserBuysForNamedPeopleAndChangesOne travels by coach, which asks who.
func TestABrowserBuysForNamedPeopleAndChangesOne(t *testing.T) {
	s := demoStack(t)
	permit := map[string]string{"en": "1000000", "zh-CN": "2000000"}
	for _, language := range []string{"en", "zh-CN"} {
		t.Run(language, func(t *testing.T) {
			b := browse(t, s, language, 390)
			b.open("/")
			b.click(id("event-card") + `[data-kind="journey"] ` + id("event-link"))
			adult := id("ticket-type") + `[data-on-sale="true"] `
			b.click(adult + id("qty-plus"))
			b.click(adult + id("qty-plus"))
			b.see(id("buy") + ":enabled")
			b.click(id("buy"))
			b.fill("buyer-name", "Ada Lovelace")
			b.fill("buyer-email", "ada@example.com")
			b.click(id("submit-order"))
			b.see(id("fault-attendee-1-name"))
			b.see(id("fault-attendee-2-number"))
			b.travels("attendee", 1, "Ada Lovelace", "taiwan_permit", permit[language]+"1")
			b.travels("attendee", 2, "张三丰", "resident_id", "110105194912310021")
			b.see(id("fault-attendee-2-number"))
			b.shoot("a-wrong-digit")
			b.travels("attendee", 2, "张三丰", "resident_id", " 110105 19491231 002x")
			b.see(id("submit-order") + ":enabled")
			b.shoot("who-is-coming")
			b.click(id("submit-order"))
			if language == "zh-CN" { // this person travels already
				b.see(id("problem") + `[data-code="attendee_taken"]`)
				b.see(id("fault-attendee-2-number"))
				b.shoot("taken")
				b.travels("attendee", 2, "张三丰", "passport", "e 20000003")
				b.click(id("submit-order"))
			}
			b.state(ticketing.OrderPending)
			b.click(id("method-sandbox_wallet"))
			b.click(id("gw-pay"))
			b.state(ticketing.OrderPaid)
			b.see(id("ticket-attendee") + `[data-number="` + permit[language][:1] + `*****01"]`)
			b.shoot("tickets")
			if language == "en" {
				b.see(id("ticket-attendee") + `[data-number="110***********002X"]`)
			} else {
				b.see(id("ticket-attendee") + `[data-number="E******03"]`)
			}
			b.click(id("change-attendee-1"))
			b.travels("change", 1, "Grace Hopper", "hk_macao_permit", "H"+permit[language]+"9")
			b.shoot("change")
			b.click(id("save-attendee-1"))
			b.see(id("ticket-attendee") + `[data-number="H******09"]`)
			require.Contains(t, b.text(id("ticket-attendee")), "G**** H*****")
			b.shoot("changed")
			require.Zero(t, ask(b, chromedp.Evaluate[int](`Object.values(localStorage).concat(Object.values(sessionStorage)).filter(x => x.includes('H'+'`+permit[language]+`')).length`)))
			b.done()
		})
	}
	require.Equal(t, 4, s.Int("SELECT count(*) FROM attendees WHERE live"))
	require.Equal(t, 2, s.Int("SELECT count(*) FROM order_events WHERE kind = 'attendee_changed'"))
	settledAll(t, s)
}
