package ticketing_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/ticketing"
)

var documentDay = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func TestDocumentNumbers(t *testing.T) {
	const (
		id        = ticketing.DocumentResidentID
		passport  = ticketing.DocumentPassport
		hk        = ticketing.DocumentHongKongMacaoPermit
		taiwan    = ticketing.DocumentTaiwanPermit
		permanent = ticketing.DocumentPermanentResidentID
	)
	tests := []struct {
		name   string
		kind   ticketing.DocumentType
		given  string
		number string // empty: refused
	}{
		{"the example of the standard", id, "11010519491231002X", "11010519491231002X"},
		{"its other example", id, "440524188001010014", ""}, // was born in 1880
		{"small x", id, "11010519491231002x", "11010519491231002X"},
		{"full width", id, "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
		{"in groups", id, " 110105 19491231　002X ", "11010519491231002X"},
		{"another check digit", id, "110105194912310021", ""},
		{"no such province", id, "10010519491231002X", ""},
		{"no such day", id, "110105194902300029", ""},
		{"15 places", id, "110105491231002", ""},
		{"19 places", id, "11010519491231002XX", ""},
		{"letters", id, "1101051949123100AX", ""},
		{"residence permit from Hong Kong", id, "810000199408230021", "810000199408230021"},
		{"a permanent resident's card is none", id, "932682198501010017", ""},
		{"Chinese passport", passport, "e12345678", "E12345678"},
		{"newer Chinese passport", passport, "EA1234567", "EA1234567"},
		{"digits only", passport, "123 456 789", "123456789"},
		{"too long", passport, "E123456789", ""},
		{"too short", passport, "E123", ""},
		{"no digit", passport, "PASSPORT", ""},
		{"not in Latin letters", passport, "Е12345678", ""},
		{"from Hong Kong", hk, "H12345678", "H12345678"},
		{"from Macao", hk, "ｍ12345678", "M12345678"},
		{"with its renewals", hk, "H1234567802", "H12345678"},
		{"neither", hk, "T12345678", ""},
		{"nine digits", hk, "H123456789", ""},
		{"from Taiwan", taiwan, "12345678", "12345678"},
		{"too many digits", taiwan, "1234567801", ""},
		{"since 2023", permanent, "932682198501010017", "932682198501010017"},
		{"since 2023, mistyped", permanent, "932682198501010027", ""},
		{"before 2023", permanent, "CAN110078010115", "CAN110078010115"},
		{"a resident's card is none", permanent, "11010519491231002X", ""},
		{"another kind", "driving_licence", "12345678", ""},
		{"nothing", id, "", ""},
	}
	for _, test := range tests {
		t.Run(string(test.kind)+" "+test.name, func(t *testing.T) {
			a := ticketing.Attendee{Name: "张三", DocumentType: test.kind, DocumentNumber: test.given}.Normalise()
			err := a.Validate("/attendees/0", documentDay)
			switch {
			case test.number == "":
				if ticketing.CodeOf(err) != ticketing.CodeInvalid {
					t.Errorf("%s passes: %v", a.DocumentNumber, err)
				}
				if err != nil && test.given != "" && strings.Contains(err.Error(), test.given) {
					t.Errorf("repeats the number: %v", err)
				}
			case err != nil || a.DocumentNumber != test.number:
				t.Errorf("%s: %v", a.DocumentNumber, err)
			}
		})
	}
}

func TestADateOfBirthIsADayInThePast(t *testing.T) {
	for digits, want := range map[string]bool{
		"11010520261121001": true, "11010520261122001": false, "11010519000101001": true, "11010518991231001": false,
		"11010520240229001": true, "11010520250229001": false, "11010520251301001": false,
	} {
		a := ticketing.Attendee{Name: "张三", DocumentType: ticketing.DocumentResidentID, DocumentNumber: digits + lastPlace(digits)}
		if err := a.Validate("", documentDay); (err == nil) != want {
			t.Errorf("%s: %v", digits, err)
		}
	}
}

// lastPlace is the check digit as the standard writes it down: by weights.
func lastPlace(digits string) string {
	weights := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, weight := range weights {
		sum += int(digits[i]-'0') * weight
	}
	return string("10X98765432"[sum%11])
}

// residents are numbers in the form of GB 11643 with a possible date of birth.
func residents() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		province := rapid.SampledFrom([]string{"11", "31", "44", "51", "65", "82"}).Draw(t, "province")
		born := time.Date(1930, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 35_000).Draw(t, "born"))
		digits := fmt.Sprintf("%s%04d%s%03d", province, rapid.IntRange(0, 9999).Draw(t, "place"), born.Format("20060102"), rapid.IntRange(0, 999).Draw(t, "sequence"))
		return digits + lastPlace(digits)
	})
}

func validResident(number string) bool {
	a := ticketing.Attendee{Name: "张三", DocumentType: ticketing.DocumentResidentID, DocumentNumber: number}
	return a.Validate("", documentDay) == nil
}

func TestOneWrongPlaceOfAResidentIDIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := residents().Draw(t, "number")
		if !validResident(number) {
			t.Fatalf("%s is refused", number)
		}
		for place := range len(number) {
			for _, other := range "0123456789X" {
				if rune(number[place]) != other && validResident(number[:place]+string(other)+number[place+1:]) {
					t.Fatalf("%s passes with %c at %d", number, other, place)
				}
			}
			// Neighbours changing places is the other common slip; the check digit tells it unless they are alike.
			if place > 0 && number[place] != number[place-1] {
				if swapped := number[:place-1] + number[place:place+1] + number[place-1:place] + number[place+1:]; validResident(swapped) {
					t.Fatalf("%s passes as %s", number, swapped)
				}
			}
		}
	})
}

func TestNormalisingTwiceIsNormalisingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ticketing.Attendee{
			Name: rapid.String().Draw(t, "name"), DocumentNumber: rapid.StringMatching(`[HhＨ]?[ 0-9０-９ -]{0,14}[Xxｘ]?`).Draw(t, "number"),
			DocumentType: rapid.SampledFrom(ticketing.DocumentTypes).Draw(t, "type"),
		}
		once := a.Normalise()
		if twice := once.Normalise(); twice.Name != once.Name || twice.Person() != once.Person() {
			t.Fatalf("%q %q, then %q %q", once.Name, once.Person(), twice.Name, twice.Person())
		}
	})
}

func TestAMaskHidesWhoItIs(t *testing.T) {
	for _, test := range []struct{ name, number, maskedName, maskedNumber string }{
		{"张三", "11010519491231002X", "张*", "110***********002X"},
		{"欧阳小明", "H12345678", "欧***", "H******78"},
		{"Ann Lee", "E12345678", "A** L**", "E******78"},
		{"X Æ", "12345", "* *", "1**45"},
		{"阿凡提·买买提", "CAN110078010115", "阿******", "CAN********0115"},
		{"", "", "", ""},
	} {
		a := ticketing.Attendee{Name: test.name, DocumentNumber: test.number}
		if m := a.Mask(); m.Name != test.maskedName || m.DocumentNumber != test.maskedNumber {
			t.Errorf("%+v", m)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		number := residents().Draw(t, "number")
		a := ticketing.Attendee{Name: "张三丰", DocumentType: ticketing.DocumentResidentID, DocumentNumber: number}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("told", "attendee", a)
		for _, shown := range []string{a.Mask().DocumentNumber, fmt.Sprint(a), fmt.Sprintf("%v %+v %#v %s", a, a, a, a), log.String()} {
			if strings.Contains(shown, number[6:14]) || strings.Contains(shown, "三") {
				t.Fatalf("%s shows %s", shown, number)
			}
		}
	})
}

func TestTheAttendeesOfAnOrder(t *testing.T) {
	person := func(n int) ticketing.Attendee {
		return ticketing.Attendee{Name: "张三", DocumentType: ticketing.DocumentTaiwanPermit, DocumentNumber: fmt.Sprintf("%08d", n)}
	}
	people := func(n int) (all []ticketing.Attendee) {
		for i := range n {
			all = append(all, person(i))
		}
		return all
	}
	nameless := people(3)
	nameless[1].Name = ""
	digits := people(3)
	digits[2].Name = "Agent 007"
	long := people(3)
	long[0].Name = strings.Repeat("三", 101)
	twice := append(people(2), person(0))
	lines := []ticketing.Ask{{TicketTypeID: "a", Quantity: 2}, {TicketTypeID: "b", Quantity: 1}}
	for _, test := range []struct {
		name      string
		need      ticketing.RealNameNeed
		attendees []ticketing.Attendee
		code      ticketing.Code
		field     string
	}{
		{"one each", ticketing.RealNamesRequired, people(3), "", ""},
		{"none", ticketing.RealNamesRequired, nil, ticketing.CodeAttendeesRequired, "/attendees/0"},
		{"too few", ticketing.RealNamesRequired, people(2), ticketing.CodeAttendeesRequired, "/attendees/2"},
		{"too many", ticketing.RealNamesRequired, people(4), ticketing.CodeInvalid, "/attendees/3"},
		{"without a name", ticketing.RealNamesRequired, nameless, ticketing.CodeInvalid, "/attendees/1/name"},
		{"digits", ticketing.RealNamesRequired, digits, ticketing.CodeInvalid, "/attendees/2/name"},
		{"a long name", ticketing.RealNamesRequired, long, ticketing.CodeInvalid, "/attendees/0/name"},
		{"twice", ticketing.RealNamesRequired, twice, ticketing.CodeAttendeeTaken, "/attendees/2/document_number"},
		{"left out", ticketing.RealNamesOptional, nil, "", ""},
		{"some", ticketing.RealNamesOptional, people(1), ticketing.CodeAttendeesRequired, "/attendees/1"},
		{"all", ticketing.RealNamesOptional, people(3), "", ""},
		{"nobody asked", ticketing.RealNamesNone, nil, "", ""},
		{"nobody asked, and told", ticketing.RealNamesNone, people(3), ticketing.CodeAttendeesUnwanted, "/attendees"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := ticketing.RealNames{Need: test.need}.CheckAttendees(lines, test.attendees, documentDay)
			refusal, _ := ticketing.RefusalOf(err)
			if (test.code == "") != (err == nil) || err != nil && (refusal == nil || refusal.Code != test.code || refusal.Field != test.field) {
				t.Errorf("%v, want %s of %s", err, test.code, test.field)
			}
		})
	}
}
