package config

import "testing"

func TestFeesAreReadByProvider(t *testing.T) {
	fees, err := parseFees("sandbox:60, wechatpay-acme:38:1")
	if err != nil {
		t.Fatal(err)
	}
	want := Fees{"sandbox": {BasisPoints: 60}, "wechatpay-acme": {BasisPoints: 38, Tolerance: 1}}
	for provider, fee := range want {
		if fees.(Fees)[provider] != fee || len(fees.(Fees)) != len(want) {
			t.Errorf("fees %v, want %v", fees, want)
		}
	}
	for _, wrong := range []string{"sandbox", "sandbox:", "sandbox:0.6", ":60", "sandbox:60:1:1", "sandbox:-1", "sandbox:10001", "a:1,,b:2"} {
		if _, err := parseFees(wrong); err == nil {
			t.Errorf("%q is no list of fees", wrong)
		}
	}
}
