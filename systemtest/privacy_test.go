package systemtest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// canaries are personal data that must not be found anywhere in the clear.
var canaries = []string{"Kanarienvogel", "canary-7f3a", "13800138000", "11010519491231002", "Nachtigall", "CN4R1E77"}

func canaryBuyer() stack.Want {
	return stack.Want{Name: "Wilhelmine Kanarienvogel", Email: "canary-7f3a@example.com", Phone: "+86 138 0013 8000"}
}

func TestPersonalDataRestsEncryptedEverywhere(t *testing.T) {
	own := ownServers(t)
	options := shortHold(10)
	options.Events[0].RealNames.Need = ticketing.RealNamesOptional
	s := stack.New(t, own, options)
	attended := canaryBuyer()
	attended.Attendees = []ticketing.Attendee{{Name: "Karl Nachtigall", DocumentType: ticketing.DocumentResidentID, DocumentNumber: "11010519491231002X"}}
	paid := s.Buy(attended)
	s.Pay(s.Attempt(paid))
	tickets := s.Await(paid, ticketing.OrderPaid, soon).Tickets
	// Refused in its workflow, because the person has a ticket.
	attended.Email = "other@example.com"
	taken, err := s.Submit(t.Context(), attended)
	require.NoError(t, err)
	require.Equal(t, ticketing.CodeAttendeeTaken, taken.Problem.Code, "%s", taken.Body)
	changed, err := s.Request(t.Context(), http.MethodPut, "/api/v1/orders/"+paid.ID+"/tickets/"+tickets[0].ID+"/attendee", paid.Token, "",
		ticketing.Attendee{Name: "Nora Nachtigall", DocumentType: ticketing.DocumentPassport, DocumentNumber: "cn4r1e77"})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, changed.Status, "%s", changed.Body)
	faults(t, s, gateway.Faults{CaptureAmount: 1})
	refunded := s.Buy(canaryBuyer())
	number := s.Attempt(refunded)
	s.Pay(number)
	late := lateOnceKnown(t, s, number)
	s.EndedID(late, soon)
	s.Await(refunded, ticketing.OrderExpired, soon)
	s.Ended(paid.ID, soon)
	s.Ended(refunded.ID, soon)
	// A failing step, whose error is stored too.
	_, _ = s.Submit(t.Context(), stack.Want{Name: canaryBuyer().Name, Email: canaryBuyer().Email, Session: "no-such-session"})

	for _, id := range []string{workflows.PurchaseID(paid.ID), workflows.PurchaseID(refunded.ID), late} {
		for _, event := range s.History(id) {
			wire, err := proto.Marshal(event)
			require.NoError(t, err)
			clean(t, id, wire)
		}
	}
	for _, database := range databases(t, s) {
		clean(t, "the dump of "+database, dump(t, own, database))
	}
	var logs int
	for _, folder := range []string{s.Folder, filepath.Join(filepath.Dir(s.Folder), t.Name()+"-servers")} {
		require.NoError(t, filepath.Walk(folder, func(file string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return err
			}
			content, err := os.ReadFile(file)
			logs++
			clean(t, file, content)
			return err
		}))
	}
	require.GreaterOrEqual(t, logs, 3)
	run, err := os.ReadFile(filepath.Join(s.Folder, "run.log"))
	require.NoError(t, err)
	require.Contains(t, string(run), paid.ID, "logs carry the order id")
}

func TestTheCodecServerDecodesForWhoeverHasTheToken(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	order := s.Buy(canaryBuyer())
	s.Cancel(order)
	s.Ended(order.ID, soon)
	sealed := s.History(workflows.PurchaseID(order.ID))[0].GetWorkflowExecutionStartedEventAttributes().GetInput()
	ask, err := protojson.Marshal(&commonpb.Payloads{Payloads: sealed.GetPayloads()})
	require.NoError(t, err)
	post := func(address string) (int, []byte) {
		client := http.Client{Timeout: 5 * time.Second}
		response, err := client.Post(address, "application/json", bytes.NewReader(ask))
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, body
	}
	status, body := post(s.Codec + "/decode")
	require.Equal(t, http.StatusOK, status)
	var opened commonpb.Payloads
	require.NoError(t, protojson.Unmarshal(body, &opened))
	for _, canary := range []string{"Kanarienvogel", "canary-7f3a"} {
		require.Contains(t, string(opened.GetPayloads()[0].GetData()), canary)
	}
	address, err := url.Parse(s.Codec)
	require.NoError(t, err)
	status, body = post("http://" + address.Host + "/wrong-token/decode")
	require.Equal(t, http.StatusNotFound, status)
	require.NotContains(t, string(body), "Kanarienvogel")
}

// clean fails when a canary is found, as it is or in hexadecimal or base64 at any offset.
func clean(t *testing.T, where string, content []byte) {
	t.Helper()
	for _, canary := range canaries {
		forms := []string{canary, hex.EncodeToString([]byte(canary))}
		for shift := range 3 {
			coded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + canary))
			forms = append(forms, coded[4:len(coded)-4]) // the middle does not depend on what stands beside it
		}
		for _, form := range forms {
			if bytes.Contains(content, []byte(form)) {
				t.Errorf("%s contains %q in the clear", where, canary)
			}
		}
	}
}

func databases(t *testing.T, s *stack.Stack) []string {
	t.Helper()
	rows, err := s.DB.Query("SELECT datname FROM pg_database WHERE NOT datistemplate")
	require.NoError(t, err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	require.GreaterOrEqual(t, len(names), 3, "ours, and Temporal's two")
	return names
}

func dump(t *testing.T, own *stack.Servers, database string) []byte {
	t.Helper()
	binaries, err := localpostgres.Find()
	require.NoError(t, err)
	address, err := url.Parse(own.DatabaseURL)
	require.NoError(t, err)
	address.Path = "/" + database
	out, err := exec.Command(filepath.Join(binaries[0].Folder, "pg_dump"), "--dbname", address.String()).Output()
	require.NoError(t, err)
	require.NotEmpty(t, out)
	return out
}
