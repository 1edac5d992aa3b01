package stories

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// chapter is one thing that happens in a story.
type chapter struct {
	At   int // seconds after the order
	What string
	// Which attempt it is about, and how the gateway's callback fares, where there is one.
	Which int
	How   string
}

// plan is a story as it is drawn.
type plan struct {
	Quantity, Spare int
	Chapters        []chapter
	// Fails says which step's first call fails, and when.
	Fails map[string]string
	// Returns is how many tickets the buyer gives back in the end, Trouble what the gateway does meanwhile.
	Returns int
	Trouble string
	// Surprise: a payer is charged right after the last look.
	Surprise bool
}

var (
	whats = []string{
		"choose", "choose", "pay", "pay", "pay", "pay late", "pay late", "pay other", "decline", "cancel", "sweep", "rival", "close down", "close up",
	}
	hows = []string{"sent", "sent", "lost", "doubled", "inbox down", "post down"}
)

// troubles are what a gateway does for some minutes while money goes back.
var troubles = []string{"", "low balance", "answers are lost", "down", "takes its time"}

func draw(rt *rapid.T) plan {
	p := plan{
		Quantity: rapid.IntRange(1, 2).Draw(rt, "quantity"),
		Spare:    rapid.IntRange(0, 1).Draw(rt, "spare"),
		Fails:    map[string]string{},
		Returns:  rapid.IntRange(0, 2).Draw(rt, "returns"),
		Trouble:  rapid.SampledFrom(troubles).Draw(rt, "trouble"),
		Surprise: rapid.IntRange(0, 3).Draw(rt, "surprise") == 3,
	}
	for _, step := range fragileSteps {
		if when := rapid.SampledFrom([]string{"", "", "before", "after"}).Draw(rt, step); when != "" {
			p.Fails[step] = when
		}
	}
	p.Chapters = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) chapter {
		return chapter{
			At:    rapid.IntRange(1, 900).Draw(rt, "at"),
			What:  rapid.SampledFrom(whats).Draw(rt, "what"),
			Which: rapid.IntRange(0, 2).Draw(rt, "which"),
			How:   rapid.SampledFrom(hows).Draw(rt, "how"),
		}
	}), 3, 12).Draw(rt, "chapters")
	// Nobody pays before they chose how.
	p.Chapters = append(p.Chapters, chapter{At: 0, What: "choose"})
	slices.SortStableFunc(p.Chapters, func(a, b chapter) int { return a.At - b.At })
	return p
}

func TestAnyStoryEndsWithATicketOrTheMoneyBack(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) { tell(rt, w, draw(rt)) })
	t.Log(w.endings)
	for _, ending := range []string{"never paid", "accepted", "retaken"} {
		require.Positive(t, w.endings[ending], "no story of %s: they prove nothing of it", ending)
	}
}

// TestStoriesThatWereToldBefore are told every time, for chance seldom draws them.
func TestStoriesThatWereToldBefore(t *testing.T) {
	type story struct {
		name, ending string
		plan
	}
	paid := []chapter{{At: 1, What: "choose"}, {At: 20, What: "pay", How: "sent"}}
	everything := map[string]string{}
	for _, step := range fragileSteps {
		everything[step] = "after"
	}
	for _, told := range []story{
		{"paid, and every step's answer is lost", "accepted", plan{Fails: everything, Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 20, What: "pay", How: "doubled"},
		}}},
		{"hazard 3: the callback is lost, the sweep asks", "accepted", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 20, What: "pay", How: "lost"}, {At: 30, What: "sweep"},
		}}},
		{"hazard 10: the callback is lost, closing says paid", "accepted", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 599, What: "pay", How: "lost"},
		}}},
		{"hazard 24: the database is down for the callback", "accepted", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 20, What: "pay", How: "inbox down"},
		}}},
		{"hazard 25: Temporal is down for the callback", "accepted", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 20, What: "pay", How: "post down"},
		}}},
		{"hazard 11: paid in two tabs", "refunded: double", plan{Chapters: []chapter{
			{At: 1, What: "choose"},
			{At: 2, What: "close down"},
			{At: 3, What: "choose"},
			{At: 4, What: "close up"},
			{At: 20, What: "pay", Which: 0, How: "lost"},
			{At: 21, What: "pay", Which: 1, How: "sent"},
		}}},
		{"hazard 8: another amount", "refunded: amount", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 20, What: "pay other", How: "sent"},
		}}},
		{"hazard 9: late, and the stock is free", "retaken", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 700, What: "pay late", How: "sent"},
		}}},
		{"hazard 9: late, and somebody else has the stock", "refunded: late", plan{Fails: everything, Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 650, What: "rival"}, {At: 700, What: "pay late", How: "sent"},
		}}},
		{"late, and the callback is lost: the last look", "retaken", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 700, What: "pay late", How: "lost"},
		}}},
		{"charged right after the last look", "judged after the last look", plan{Surprise: true, Chapters: []chapter{{At: 1, What: "choose"}}}},
		{"charged after everything, and the callback is lost", "found on the bill", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 900, What: "pay late", How: "lost"},
		}}},
		{"tickets go back, and every step's answer is lost", "tickets back", plan{Quantity: 2, Returns: 1, Fails: everything, Chapters: paid}},
		{"hazard 19: tickets go back, and the gateway's answers are lost", "tickets back", plan{
			Quantity: 2, Returns: 2, Trouble: "answers are lost", Chapters: paid,
		}},
		{"hazard 19: tickets go back, and the balance is too low", "tickets back", plan{Returns: 1, Trouble: "low balance", Chapters: paid}},
		{"tickets go back, and the gateway takes its time", "tickets back", plan{Returns: 1, Trouble: "takes its time", Chapters: paid}},
		{"hazard 14: the gateway is down at the deadline, and was paid", "retaken", plan{Chapters: []chapter{
			{At: 1, What: "choose"}, {At: 590, What: "close down"}, {At: 595, What: "pay", How: "lost"},
		}}},
	} {
		t.Run(told.name, func(t *testing.T) {
			w := newWorld(t)
			told.Quantity = max(told.Quantity, 1)
			tell(t, w, told.plan)
			require.Equal(t, 1, w.endings[told.ending], "%v", w.endings)
			if told.ending != "found on the bill" {
				require.Zero(t, w.endings["found on the bill"], "nobody looked before the bill came")
			}
		})
	}
}
