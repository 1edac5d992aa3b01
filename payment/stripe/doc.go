// Package stripe is the adapter for Stripe Checkout (https://stripe.com), for cards from all over the world. It uses Stripe's own library,
// whose version fixes that of the API: 2026-06-24.dahlia.
//
// It knows Stripe's protocol and nothing of orders, stock or workflows.
// It never retries: only the caller knows what a repeat means. The library is told not to, either, nor to log, nor to report
// on the machine it runs on.
//
// # Where it is written down
//
//	sessions, their end, their states  https://docs.stripe.com/api/checkout/sessions
//	refunds                            https://docs.stripe.com/refunds, https://docs.stripe.com/api/refunds
//	idempotency keys                   https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/error-low-level
//	events and their signatures        https://docs.stripe.com/webhooks, https://docs.stripe.com/api/events/types
//	methods that tell later            https://docs.stripe.com/payments/checkout/fulfillment
//	disputes                           https://docs.stripe.com/disputes
//	the balance                        https://docs.stripe.com/reports/balance-transaction-types
//	currencies                         https://docs.stripe.com/currencies
//	all of it, for programs            https://github.com/stripe/openapi
//
// # What Stripe has to be told first
//
// Stripe does not take an address for callbacks with a payment. Somebody registers PUBLIC_URL/api/v1/callbacks/<name> as a webhook
// endpoint, in the dashboard or with POST /v1/webhook_endpoints, for the kinds of Events, and configures its signing secret.
// While a secret is being replaced both are configured.
//
// # Payments
//
// A number becomes client_reference_id of a session, and metadata (boxoffice_number) of the session, of its payment intent and so of the
// charge. What does not carry both is another shop's on the same account, and none of ours. GatewayID is the payment intent (pi_…), which
// refunds, disputes and the balance name; a session has none until its payer tries to pay.
//
//	open                                  pending: a declined card leaves the page open for another one
//	complete, paid                        paid; Captured is what the payment intent received
//	complete, unpaid, still processing    unknown: a method that tells days later
//	complete, unpaid, not any more        declined
//	expired                               closed
//
// Stripe's shortest session lasts 30 minutes, longer than most holds, so its own end comes later than Order.ExpiresAt: 40 minutes
// after the number was made. Until then only Close forbids the payment, and has to be called at the hold's end. It expires the session; if
// Stripe answers that it is not open any more, it is read again and says what became of it.
//
// Only cards (with Apple Pay and Google Pay) are offered unless Config.PaymentMethods says more. Prices are shown in the order's currency only.
//
// # Finding a payment by its number
//
// Stripe finds a session by its own id, which is in no memory that a restart or another process leaves. These ways were not taken:
// its search finds payment intents by metadata, but sees what happened a minute ago or more, sometimes an hour, and never a
// session nobody has tried to pay; repeating the creation with its idempotency key needs everything that was asked for, not the number alone, and
// works for a day; making a customer or product named by the number first would fill the account with one for every attempt.
//
// But lists are up to date and filter by the second of creation, and a number of ticketing.NewNumber tells the second it
// was made in. Create refuses numbers older than five minutes, so a session is at most that much younger than its number, and
// a minute for clocks that differ. A process remembers the ids it has seen; what it does not remember it looks for among the
// sessions of the 15 seconds around the number, where nearly all are, then among those of all seven minutes. One page has a hundred, and
// each teaches the ids of all.
//
// # Idempotency keys
//
// Every request that creates carries boxoffice-payment-<number>-1 or boxoffice-refund-<id>-1. Stripe answers a key alike for a day or more. That includes
// failures of its own (500), and that the balance was too low. They come back marked (Idempotent-Replayed), whatever has become of it
// since. Then the object is looked for, sessions as above, a refund among those of its payment. Only if there is none the next key
// is used (…-2, …-3): by every process in the same order, so that two who do so at once use the same. A call that fails for the first time is
// never repeated with another key. After a day keys are forgotten; refunds of older ids are looked for before anything is sent.
//
// # Refunds
//
// The id is metadata of the refund (boxoffice_refund). A balance that is too low makes Stripe refuse (ErrLowBalance) or, for most accounts,
// keep the refund as pending until the balance suffices. A refund that has succeeded may fail days later, when the payer's bank sends it
// back (refund.failed). A payment that is disputed cannot be refunded.
//
// # Events
//
// The header Stripe-Signature is verified with every configured secret over the raw body, not older or newer than Config.Tolerance. livemode must be that of
// the key, account that of Config: an event of a test for a live shop, or of another connected account, is ErrWrongMerchant. The objects are read
// with the few fields that no version of the API has changed, because events come in the endpoint's version, not the library's. Events that
// tell of nothing of ours are NoticeOther.
//
// Of disputes Stripe says the payment intent, not our number. What an event says is the dispute's status in it, not its kind:
//
//	warning_…, prevented              NoticeOther: the bank only asks, and no money is withheld
//	needs_response, under_review      open, also when an inquiry becomes a dispute (charge.dispute.updated)
//	won, lost                         won, lost
//
// The fee is known from charge.dispute.funds_withdrawn on; one that is not a single amount is left to the bill.
//
// # The bill
//
// Stripe has no file: the balance transactions of a day (UTC) are listed with what caused them. Amounts are the payer's, fees are in the
// currency of the balance, which may be another. Payments, refunds, refunds that came back (positive) and disputes (RefundID is the
// dispute's id; positive when it was won) are lines; payouts, top-ups, reserves and fees that belong to no payment move only between Stripe and us
// and are left out; whatever else is NoticeOther with Stripe's id of the movement. Refunds and charges made by hand are lines without our numbers.
//
// # Currencies
//
// Our amounts are in ISO 4217's minor unit, and so are Stripe's except for ISK and UGX, which it counts in cents that no longer exist, and MGA,
// which it counts whole. The third decimal of BHD, JOD, KWD, OMR and TND must be 0. What Stripe cannot charge is refused, never rounded.
//
// But fees and corrections may have cents of ISK and UGX, which our books cannot: they are rounded to the nearest, so that one of them hides neither
// a bill nor a dispute. A payment, refund or dispute on the bill whose own amount has such cents is NoticeOther, for a person to look at. A fee
// in what is no currency of ISO 4217 is left out.
//
// # What cannot be done
//
// The gateway cannot be told to stop at the hold's end when that is less than 30 minutes away. A payer cannot be kept from a card that is declined and
// another that is not. NotifyURL of an order is not used. A bill says nothing of its own completeness but that there is another page.
package stripe
