package published_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/stripe/published"
)

func TestRequestsThatAreNotAsPublished(t *testing.T) {
	good := "mode=payment&success_url=https%3A%2F%2Fshop.example&line_items[0][quantity]=1&line_items[0][price_data][currency]=usd" +
		"&line_items[0][price_data][unit_amount]=100&line_items[0][price_data][product_data][name]=x"
	check := func(method, path, body string) error {
		r := httptest.NewRequest(method, path, nil)
		if method == "POST" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return published.Request(r, []byte(body))
	}
	require.NoError(t, check("POST", "/v1/checkout/sessions", good))
	require.NoError(t, check("GET", "/v1/refunds?limit=100&payment_intent=pi_1", ""))
	for name, err := range map[string]error{
		"an unknown parameter": check("POST", "/v1/checkout/sessions", good+"&colour=red"),
		"a word for a number":  check("POST", "/v1/checkout/sessions", strings.Replace(good, "quantity]=1", "quantity]=one", 1)),
		"no such word":         check("POST", "/v1/checkout/sessions", strings.Replace(good, "mode=payment", "mode=gift", 1)),
		"a word for a truth":   check("POST", "/v1/checkout/sessions", good+"&adaptive_pricing[enabled]=maybe"),
		"no such endpoint":     check("POST", "/v1/checkout/sessions/cs_1/close", ""),
		"no such filter":       check("GET", "/v1/checkout/sessions?client_reference_id=1", ""),
	} {
		require.ErrorContains(t, err, "not as Stripe publishes", name)
	}
}

func TestObjectsThatAreNotAsPublished(t *testing.T) {
	example, err := published.Example("refund")
	require.NoError(t, err)
	require.NoError(t, published.Object("refund", example))
	for name, change := range map[string]func(map[string]any){
		"a word for a number": func(o map[string]any) { o["amount"] = "much" },
		"something missing":   func(o map[string]any) { delete(o, "currency") },
		"another object":      func(o map[string]any) { o["object"] = "refunds" },
	} {
		t.Run(name, func(t *testing.T) {
			var o map[string]any
			require.NoError(t, json.Unmarshal(example, &o))
			change(o)
			body, err := json.Marshal(o)
			require.NoError(t, err)
			require.ErrorContains(t, published.Object("refund", body), "not as Stripe publishes")
		})
	}
	require.ErrorContains(t, published.Object("unicorn", nil), "unicorn")
}

func TestTheVersionIsThatOfTheLibrary(t *testing.T) {
	version, err := published.Version()
	require.NoError(t, err)
	require.Regexp(t, `^\d{4}-\d{2}-\d{2}\.dahlia$`, version, "the same yearly version as the library's, with additions at most")
}
