package store

import (
	"sort"

	"github.com/boxoffice/boxoffice/ticketing"
)

// The accounts of the ledger. Positive: what a gateway holds for us. Negative: what we owe or have earned.
const (
	accountFees     = "fees"     // order fees, ours
	accountSuspense = "suspense" // money that pays nothing yet and may have to go back

	accountRefundsDue = "refunds_due" // owed for tickets that were given back
	accountRefundFees = "refund_fees" // kept of what was paid for them, ours

	accountGatewayFees  = "gateway_fees"  // what gateways kept for themselves
	accountDisputes     = "disputes"      // withheld by gateways until a dispute is decided
	accountDisputesLost = "disputes_lost" // what payers got back through their banks
)

func accountGateway(provider string) string  { return "gateway:" + provider }
func accountSales(organiserID string) string { return "organiser:" + organiserID + ":sales" }

// transferKind says what a transfer books.
type transferKind string

const (
	transferAccepted      transferKind = "payment_accepted" // gateway → sales and fees
	transferRejected      transferKind = "payment_rejected" // gateway → suspense
	transferRetaken       transferKind = "payment_retaken"  // suspense → sales and fees
	transferGatewayFee    transferKind = "gateway_fee"      // gateway → gateway fees
	transferDisputeOpened transferKind = "dispute_opened"   // gateway → disputes
	transferDisputeWon    transferKind = "dispute_won"      // disputes → gateway
	transferDisputeLost   transferKind = "dispute_lost"     // disputes → lost
	transferRefunded      transferKind = "refund_settled"   // suspense or refunds due → gateway
	transferRequested     transferKind = "refund_requested" // sales and fees → refunds due and refund fees
)

// postings are the amounts of a transfer by account; they sum to zero.
type postings map[string]int64

// sale splits what was captured from an account into the organiser's sales and our fee.
func sale(from, organiserID string, captured, orderFee int64) postings {
	return postings{from: captured, accountFees: -orderFee, accountSales(organiserID): orderFee - captured}
}

// book writes a transfer once: repeated with the same kind and reference it does nothing.
// The database refuses it at commit if it does not sum to zero.
func (w *work) book(kind transferKind, reference, currency string, amounts postings) {
	var (
		accounts []string
		values   []int64
	)
	for account, amount := range amounts {
		if amount != 0 {
			accounts = append(accounts, account)
		}
	}
	sort.Strings(accounts)
	for _, account := range accounts {
		values = append(values, amounts[account])
	}
	w.queue(`
WITH booked AS (
    INSERT INTO ledger_transfers (kind, reference) VALUES ($1, $2)
    ON CONFLICT ON CONSTRAINT ledger_transfers_once DO NOTHING
    RETURNING id
)
INSERT INTO ledger_entries (transfer_id, account, currency, amount)
SELECT booked.id, e.account, $3, e.amount FROM booked, unnest($4::text[], $5::bigint[]) AS e(account, amount)`,
		string(kind), reference, currency, accounts, values)
}

// bookRejected books captured money that does not pay its order as owed.
func (w *work) bookRejected(provider, attemptID string, captured ticketing.Money) {
	w.book(transferRejected, attemptID, captured.Currency,
		postings{accountGateway(provider): captured.Amount, accountSuspense: -captured.Amount})
}
