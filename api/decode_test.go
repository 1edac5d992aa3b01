package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/boxoffice/boxoffice/ticketing"
)

// FuzzOrderRequest: whatever comes, decoding neither panics nor lets through what is not an order.
func FuzzOrderRequest(f *testing.F) {
	for _, seed := range []string{
		`{"session_id":"s","lines":[{"ticket_type_id":"t","quantity":1}],"buyer":{"name":"Ada","email":"ada@example.com","phone":"+8613800138000"},"language":"en"}`,
		`{"expected_total":{"amount":1,"currency":"CNY"}}`, `{"lines":[{"quantity":1e2}]}`, `{"lines":null}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}",
		`{"lines":[{"quantity":-0}]}`, `[[[[`, `{}{}`, "\ufeff{}", `{"buyer":{"email":"\u0000@x.y"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r orderRequest
		err := decode(body, &r)
		if err != nil {
			switch ticketing.CodeOf(err) {
			case ticketing.CodeInvalid, codeMalformed:
			default:
				t.Fatalf("%q: an error without a code: %v", body, err)
			}
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("%q: the error is not UTF-8", body)
			}
			return
		}
		if !utf8.Valid(body) || !json.Valid(body) || bytes.Contains(body, []byte("null,")) && !bytes.Contains(body, []byte(`"`)) {
			t.Fatalf("%q was taken for an order", body)
		}
		buyer, err := validBuyer(r.Buyer, r.Language)
		if err != nil {
			return
		}
		if buyer.Name == "" || strings.ContainsAny(buyer.Name+buyer.Email+buyer.Phone, "\r\n\x00") || !strings.Contains(buyer.Email, "@") ||
			buyer.Phone != "" && !strings.HasPrefix(buyer.Phone, "+") {
			t.Fatalf("%q made the buyer %+v", body, buyer)
		}
	})
}

func TestBuyersAreNormalised(t *testing.T) {
	for _, c := range []struct {
		given    buyerRequest
		language string
		want     ticketing.Buyer
	}{
		{buyerRequest{" Ada Lovelace ", " ada@example.com ", ""}, "", ticketing.Buyer{Name: "Ada Lovelace", Email: "ada@example.com", Language: "en"}},
		{buyerRequest{"王小明", "wang@例子.中国", "138 0013 8000"}, "zh-CN", ticketing.Buyer{Name: "王小明", Email: "wang@例子.中国", Phone: "+8613800138000", Language: "zh-CN"}},
		{buyerRequest{"O'Neil-Śmith Jr.", "o.neil+tickets@mail.example.co.uk", "+44 20 7946 0018"}, "en", ticketing.Buyer{Name: "O'Neil-Śmith Jr.", Email: "o.neil+tickets@mail.example.co.uk", Phone: "+442079460018", Language: "en"}},
	} {
		got, err := validBuyer(c.given, c.language)
		if err != nil || got != c.want {
			t.Errorf("%+v: got %+v, %v", c.given, got, err)
		}
	}
}
