package activities_test

import (
	"testing"

	"github.com/boxoffice/boxoffice/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
