package temporalserver

import (
	"maps"
	"testing"

	"go.temporal.io/server/common/searchattribute/sadefs"
)

func TestSearchAttributesKeepTheirColumns(t *testing.T) {
	fresh, err := withSearchAttributes(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := withSearchAttributes(fresh)
	if err != nil || !maps.Equal(fresh, again) {
		t.Errorf("a second start changes %v to %v, %v", fresh, again, err)
	}

	// Somebody added an attribute, and ours came from elsewhere in another order.
	before := map[string]string{"Keyword01": "Theirs", "Keyword05": "OrderState"}
	after, err := withSearchAttributes(before)
	if err != nil {
		t.Fatal(err)
	}
	for column, attribute := range before {
		if after[column] != attribute {
			t.Errorf("%s was moved from %s", attribute, column)
		}
	}
	columns := sadefs.GetDBIndexSearchAttributes(nil).CustomSearchAttributes
	seen := map[string]bool{}
	for column, attribute := range after {
		if kind, ours := SearchAttributes[attribute]; ours && columns[column] != kind {
			t.Errorf("%s is in %s", attribute, column)
		}
		if seen[attribute] {
			t.Errorf("%s has two columns", attribute)
		}
		seen[attribute] = true
	}
	if len(after) != len(SearchAttributes)+1 {
		t.Errorf("attributes = %v", after)
	}
}
