package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v86"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// MethodCheckout is the method: the payer's browser goes to Stripe's page.
const MethodCheckout = "stripe_checkout"

// What we write into Stripe's metadata. A session whose reference and metadata do not agree is none of ours, but another
// shop's on the same account.
const (
	metaNumber = "boxoffice_number" // of the payment: on the session, the payment intent, its charge and its refunds
	metaRefund = "boxoffice_refund" // the refund's id, on refunds
	metaReason = "boxoffice_reason" // on refunds
)

const (
	maxDescription = 250
	maxURL         = 5000
	// A session lives 30 minutes to 24 hours, counted from the moment Stripe makes it. That moment is at most startWithin and
	// two clocks' errors after its number was made.
	shortestSession = 30*time.Minute + startWithin + 5*time.Minute
	longestSession  = 24*time.Hour - 5*time.Minute
	// startWithin is for how long after its number was made a session may be created. The number tells where to look for it.
	startWithin = 5 * time.Minute
)

// Provider implements payment.Provider for Stripe Checkout. It never retries by
// itself: only the caller knows what a repeat means.
type Provider struct {
	config Config
	live   bool
	api    *sdk.Client
	bills  *sdk.Client
	// sessions remembers Stripe's ids of sessions, keys how many idempotency keys of a refund are spent. Both only save
	// requests: what they forget is found again.
	sessions memory[string]
	keys     memory[int]
}

var _ payment.Provider = (*Provider)(nil)

// Name implements payment.Provider.
func (p *Provider) Name() string { return p.config.Name }

// Methods implements payment.Provider.
func (p *Provider) Methods() []string { return []string{MethodCheckout} }

// Accepts implements payment.Provider.
func (p *Provider) Accepts(currency string) bool {
	return slices.Contains(p.config.Currencies, currency)
}

var numberShape = regexp.MustCompile(`^[0-9A-Z]{8,32}$`)

// Create implements payment.Provider. Everything it sends follows from the order: a repeat is the same request, to which
// Stripe gives the same answer.
func (p *Provider) Create(ctx context.Context, order payment.Order, method string) (payment.Checkout, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.SearchTimeout)
	defer cancel()
	params, err := p.sessionOf(order, method)
	if err != nil {
		return payment.Checkout{}, fmt.Errorf("stripe: %w: %w", payment.ErrRejected, err)
	}
	doing := "create " + order.Number
	for try := 1; ; try++ {
		p.about(&params.Params, "payment-"+order.Number, try)
		session, err := p.api.V1CheckoutSessions.Create(ctx, params)
		if err == nil {
			p.sessions.put(order.Number, session.ID)
			return checkout(session, order)
		}
		// Stripe keeps a failure of its own under its key and repeats it for a day, whatever has become of the session. If none
		// has, another key makes one.
		stored, again := replayed(err)
		if !again || stored.HTTPStatusCode < 500 || try == mostKeys {
			return payment.Checkout{}, failure(doing, err)
		}
		session, err = p.search(ctx, order.Number, everywhere)
		if err == nil {
			return checkout(session, order)
		}
		if !errors.Is(err, payment.ErrNotFound) {
			return payment.Checkout{}, err
		}
	}
}

// mostKeys bounds how many idempotency keys one call goes through.
const mostKeys = 200

// about addresses a request: whose account it is about, and that a repeat is no second one.
func (p *Provider) about(params *sdk.Params, key string, try int) {
	params.SetIdempotencyKey("boxoffice-" + key + "-" + strconv.Itoa(try))
	if p.config.Account != "" {
		params.SetStripeAccount(p.config.Account)
	}
}

// sessionOf is what is asked for an order. It depends on nothing else, above all not on the time.
func (p *Provider) sessionOf(order payment.Order, method string) (*sdk.CheckoutSessionCreateParams, error) {
	now := p.config.Now()
	began, err := beginning(order.Number)
	switch {
	case err != nil:
		return nil, err
	case method != MethodCheckout:
		return nil, fmt.Errorf("no method %q", method)
	case !p.Accepts(order.Amount.Currency):
		return nil, fmt.Errorf("no payments in %q", order.Amount.Currency)
	case now.Sub(began) > startWithin:
		return nil, fmt.Errorf("number %s was made at %s, too long ago", order.Number, began.Format(time.RFC3339))
	case began.Sub(now) > clockError:
		return nil, fmt.Errorf("number %s will be made at %s", order.Number, began.Format(time.RFC3339))
	case !order.ExpiresAt.After(now):
		return nil, fmt.Errorf("expired at %s", order.ExpiresAt.UTC().Format(time.RFC3339))
	}
	if u, err := url.Parse(order.ReturnURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(order.ReturnURL) > maxURL {
		return nil, fmt.Errorf("address %q must be http(s) of at most %d characters", order.ReturnURL, maxURL)
	}
	amount, err := toStripe(order.Amount)
	if err != nil {
		return nil, err
	}
	described := plain(order.Description)
	if described == "" {
		described = order.Number
	}
	ours := map[string]string{metaNumber: order.Number}
	params := &sdk.CheckoutSessionCreateParams{
		Mode:              sdk.String(string(sdk.CheckoutSessionModePayment)),
		ClientReferenceID: sdk.String(order.Number),
		Metadata:          ours,
		LineItems: []*sdk.CheckoutSessionCreateLineItemParams{{
			Quantity: sdk.Int64(1),
			PriceData: &sdk.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: sdk.String(strings.ToLower(order.Amount.Currency)), UnitAmount: new(amount),
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: sdk.String(described)},
			},
		}},
		PaymentIntentData:  &sdk.CheckoutSessionCreatePaymentIntentDataParams{Description: sdk.String(described), Metadata: ours},
		PaymentMethodTypes: sdk.StringSlice(p.config.PaymentMethods),
		// The payer is charged what was asked for, in the currency it was asked for.
		AdaptivePricing: &sdk.CheckoutSessionCreateAdaptivePricingParams{Enabled: new(false)},
		Locale:          sdk.String(locale(order.Language)),
		SuccessURL:      sdk.String(order.ReturnURL),
		CancelURL:       sdk.String(order.ReturnURL),
		ExpiresAt:       new(expiry(began, order.ExpiresAt).Unix()),
	}
	if slices.Contains(p.config.PaymentMethods, "wechat_pay") {
		params.PaymentMethodOptions = &sdk.CheckoutSessionCreatePaymentMethodOptionsParams{
			WeChatPay: &sdk.CheckoutSessionCreatePaymentMethodOptionsWeChatPayParams{Client: sdk.String("web")},
		}
	}
	return params, nil
}

// expiry is when Stripe closes a session by itself: at the order's end if Stripe allows that. It counts from the number's
// moment, not from now, so that a repeat says the same.
func expiry(began, end time.Time) time.Time {
	if soonest := began.Add(shortestSession); end.Before(soonest) {
		return soonest
	}
	if latest := began.Add(longestSession); end.After(latest) {
		return latest
	}
	return end
}

// beginning is the second in which a number was made.
func beginning(number string) (time.Time, error) {
	at, ok := ticketing.NumberTime(number)
	if !ok || !numberShape.MatchString(number) {
		return time.Time{}, fmt.Errorf("%q does not tell when it was made", number)
	}
	return at, nil
}

// plain is a description without control characters, cut to what Stripe's page shows.
func plain(description string) string {
	kept := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return ' '
		}
		return r
	}, description)
	return strings.TrimSpace(clip(strings.Join(strings.Fields(kept), " "), maxDescription))
}

// locales are the languages of Stripe's page that are not named by their first part alone.
var locales = map[string]string{"zh-hk": "zh-HK", "zh-tw": "zh-TW", "zh-hant": "zh-TW", "en-gb": "en-GB", "fr-ca": "fr-CA", "pt-br": "pt-BR", "es-419": "es-419"}

// spoken are the other languages of Stripe's page.
var spoken = strings.Fields("bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th tr vi zh")

// locale is a language in Stripe's words; one that its page does not speak is left to the browser.
func locale(language string) string {
	lower := strings.ToLower(language)
	if known, ok := locales[lower]; ok {
		return known
	}
	first, _, _ := strings.Cut(lower, "-")
	if slices.Contains(spoken, first) {
		return first
	}
	return "auto"
}

// checkout is where the payer of a session goes. A number stands for one payment: what it was asked for under
// other terms is refused.
func checkout(s *sdk.CheckoutSession, order payment.Order) (payment.Checkout, error) {
	asked, err := toStripe(order.Amount)
	if err != nil {
		return payment.Checkout{}, fmt.Errorf("stripe: %w: %w", payment.ErrRejected, err)
	}
	switch page, err := url.Parse(s.URL); {
	case s.ClientReferenceID != order.Number:
		return payment.Checkout{}, fmt.Errorf("stripe: answered %q to create %s: %w", s.ClientReferenceID, order.Number, payment.ErrUnavailable)
	case s.AmountTotal != asked || string(s.Currency) != strings.ToLower(order.Amount.Currency):
		return payment.Checkout{}, fmt.Errorf("stripe: %s was opened for %d %s: %w", order.Number, s.AmountTotal, s.Currency, payment.ErrRejected)
	case s.Status != sdk.CheckoutSessionStatusOpen:
		return payment.Checkout{}, fmt.Errorf("stripe: %s is %s already: %w", order.Number, s.Status, payment.ErrRejected)
	case err != nil || page.Scheme != "http" && page.Scheme != "https":
		return payment.Checkout{}, fmt.Errorf("stripe: no page for %s: %w", order.Number, payment.ErrUnavailable)
	}
	return payment.Checkout{PayURL: s.URL, GatewayID: intentID(s)}, nil
}

// Query implements payment.Provider.
func (p *Provider) Query(ctx context.Context, number string) (payment.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.SearchTimeout)
	defer cancel()
	session, err := p.session(ctx, number)
	if err != nil {
		return payment.Status{}, err
	}
	return p.judged(session, number)
}

// Close implements payment.Provider. Stripe forbids a session that nobody has paid when it is told to, long before its own end.
func (p *Provider) Close(ctx context.Context, number string) (payment.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.SearchTimeout)
	defer cancel()
	session, err := p.session(ctx, number)
	if err != nil {
		return payment.Status{}, err
	}
	if session.Status != sdk.CheckoutSessionStatusOpen {
		return p.judged(session, number)
	}
	params := &sdk.CheckoutSessionExpireParams{}
	params.AddExpand("payment_intent.latest_charge")
	if p.config.Account != "" {
		params.SetStripeAccount(p.config.Account)
	}
	expired, err := p.api.V1CheckoutSessions.Expire(ctx, session.ID, params)
	if err == nil && expired.Status == sdk.CheckoutSessionStatusOpen {
		err = errors.New("it stayed open")
	}
	if err == nil {
		return p.judged(expired, number)
	}
	refused := failure("close "+number, err)
	if !errors.Is(refused, payment.ErrRejected) {
		return payment.Status{}, refused
	}
	// It is not open any more: the payer was faster, or somebody else closed it.
	if session, err = p.retrieve(ctx, session.ID, number); err != nil {
		return payment.Status{}, err
	}
	if session.Status == sdk.CheckoutSessionStatusOpen {
		return payment.Status{}, fmt.Errorf("stripe: close %s: %w: %w", number, payment.ErrUnavailable, refused)
	}
	return p.judged(session, number)
}

// judged is what a session says of a payment, for who asked.
func (p *Provider) judged(session *sdk.CheckoutSession, number string) (payment.Status, error) {
	s, err := status(session)
	if err != nil {
		return payment.Status{}, fmt.Errorf("stripe: payment %s: %w: %w", number, payment.ErrUnavailable, err)
	}
	return s, nil
}
