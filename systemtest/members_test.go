package systemtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify/inbox"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

// paysAndEarns pays the order on the page, which then tells so many points of the order and of the member.
func (b *shop) paysAndEarns(earned, points int) {
	b.t.Helper()
	b.state(ticketing.OrderPending)
	b.click(id("method-sandbox_wallet"))
	b.click(id("gw-pay"))
	b.state(ticketing.OrderPaid)
	b.see(fmt.Sprintf(`%s[data-points="%d"]`, id("earned"), earned))
	b.see(fmt.Sprintf(`%s[data-points="%d"]`, id("points"), points))
}

// TestABrowserJoinsAndBuysAsAMember: four seats at 435.00 make a patron of the theatre, who buys a day ticket of 99.00 before its sale and
// for ten per cent less, without typing the code that the device remembers.
func TestABrowserJoinsAndBuysAsAMember(t *testing.T) {
	s := demoStack(t)
	for _, visit := range []struct {
		language string
		width    int64
	}{{"en", 1280}, {"zh-CN", 390}} {
		t.Run(visit.language, func(t *testing.T) {
			b := browse(t, s, visit.language, visit.width)
			play := "/events/teahouse-at-midnight?session=teahouse-at-midnight-1"
			of := func(kind string) string {
				return id("ticket-type") + `[data-ticket-type-id="teahouse-at-midnight-1-` + kind + `"]`
			}
			b.open(play)
			b.see(of("day") + `[data-on-sale="false"]`)
			b.use("member-code", "NOSUCHCODE")
			b.see(id("member-code-fault") + ":not(:empty)")
			b.shoot("no-such-code")
			for range 4 {
				b.click(of("front") + " " + id("qty-plus"))
			}
			b.see(id("buy") + ":enabled")
			b.click(id("buy"))
			b.click(id("join"))
			b.fill("buyer-name", "Ada Lovelace")
			b.fill("buyer-email", visit.language+"@example.com")
			b.see(id("submit-order") + ":enabled")
			b.shoot("joining")
			b.click(id("submit-order"))
			b.paysAndEarns(1740, 1740)
			b.shoot("joined")
			code := b.text(id("your-member-code"))
			stack.Eventually(t, soon, "the mail tells the code", func() bool {
				_, kept := told(t, s)
				return slices.ContainsFunc(kept, func(m inbox.Kept) bool {
					return m.To == visit.language+"@example.com" && strings.Contains(m.Text, code)
				})
			})

			b.open(play)
			b.see(of("day") + `[data-on-sale="true"]`)
			b.shoot("early")
			b.click(of("day") + " " + id("qty-plus"))
			b.see(id("buy") + ":enabled")
			b.click(id("buy"))
			b.see(id("member"))
			b.see(id("member-discount") + `[data-amount="990"]`)
			b.costs(9900 - 990 + 500)
			b.shoot("member-price")
			// Under another mail address the code is no good; under the member's it is.
			b.see(id("buyer-email"))
			b.do(chromedp.SendKeys(chromedp.CSS(id("buyer-email")), ".cn"))
			b.click(id("submit-order"))
			b.see(id("member-code-fault") + ":not(:empty)")
			b.shoot("another-address")
			b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-testid="buyer-email"]').select()`),
				chromedp.SendKeys(chromedp.CSS(id("buyer-email")), visit.language+"@example.com"))
			b.use("member-code", code)
			b.see(id("member"))
			b.costs(9900 - 990 + 500)
			b.click(id("submit-order"))
			b.paysAndEarns(89, 1740+89)
			require.Equal(t, code, b.text(id("your-member-code")))
			b.shoot("earned")
			b.done()
		})
	}
	require.Equal(t, 2, s.Int("SELECT count(*) FROM members"))
	settledAll(t, s)
}
