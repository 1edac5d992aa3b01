package ticketing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

func TestANumberTellsItsSecond(t *testing.T) {
	beijing := time.FixedZone("UTC+8", 8*60*60)
	seen := map[string]bool{}
	for _, now := range []time.Time{
		time.Unix(0, 0), time.Unix(1<<35-1, 0), time.Date(2026, 11, 20, 23, 59, 59, 999_999_999, beijing),
		time.Date(2026, 11, 21, 0, 0, 0, 0, beijing), time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC),
	} {
		number := ticketing.NewNumber(now)
		if len(number) != 26 || strings.Trim(number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Fatalf("%q is not what every gateway accepts", number)
		}
		if seen[number[7:]] {
			t.Fatalf("%q was made before", number)
		}
		seen[number[7:]] = true
		at, ok := ticketing.NumberTime(number)
		if !ok || !at.Equal(now.Truncate(time.Second)) {
			t.Errorf("%q tells %v, %v; made at %v", number, at, ok, now)
		}
	}
}

func TestWhatIsNoNumberTellsNoTime(t *testing.T) {
	for _, other := range []string{"", "1", "SHOP2-00001", strings.Repeat("0", 25), strings.Repeat("0", 27), strings.Repeat("U", 26), strings.Repeat("a", 26)} {
		if at, ok := ticketing.NumberTime(other); ok {
			t.Errorf("%q tells %v", other, at)
		}
	}
}

func TestTheSecondIsWrittenInTheFirstSevenCharacters(t *testing.T) {
	at, ok := ticketing.NumberTime("1NG0DJ0ABCDEFGHJKMNPQRSTVW")
	if want := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC); !ok || !at.Equal(want) {
		t.Fatalf("tells %v, %v instead of %v", at, ok, want)
	}
}

func TestANumberMadeFromASeedIsTheSameWithinItsSecond(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	first, again := ticketing.NumberFrom(now, "seed"), ticketing.NumberFrom(now.Add(time.Second-1), "seed")
	later, other := ticketing.NumberFrom(now.Add(time.Second), "seed"), ticketing.NumberFrom(now, "another seed")
	if len(first) != 26 || first != again || later[7:] != first[7:] || later == first || other == first || other[:7] != first[:7] {
		t.Errorf("%s, %s, a second later %s, from another seed %s", first, again, later, other)
	}
	if at, ok := ticketing.NumberTime(later); !ok || !at.Equal(now.Add(time.Second)) {
		t.Errorf("%s tells %s, %v", later, at, ok)
	}
}
