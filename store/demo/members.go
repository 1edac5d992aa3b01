package demo

import "github.com/boxoffice/boxoffice/ticketing"

// Programmes describes the membership of the theatre: one order of front seats makes enough points for the highest level, which
// sells the day tickets of the play before their sale.
func Programmes() []ticketing.Programme {
	return []ticketing.Programme{{
		ID: "westlake-friends", OrganiserID: "westlake-stage", Name: text("Friends of Westlake Stage", "西湖剧友会"), Currency: "CNY", SpendPerPoint: 100,
		Levels: []ticketing.Level{
			{Name: text("Friend", "剧友"), Points: 100, DiscountBasisPoints: 300},
			{Name: text("Regular", "常客"), Points: 600, DiscountBasisPoints: 500, LeadHours: 24},
			{Name: text("Patron", "知音"), Points: 1500, DiscountBasisPoints: 1000, LeadHours: 96, ExtraTickets: 2},
		},
	}}
}
