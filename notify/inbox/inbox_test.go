package inbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/inbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

var (
	_ notify.Finder = (*inbox.Sender)(nil)

	mail = notify.Message{
		ID: "0MAIL", Kind: ticketing.MessagePaid, Language: "en", To: "mei@example.com", Name: "Mei <Lin>",
		Content: notify.Content{
			Subject: "Your tickets & more", Text: "Two tickets", HTML: `<p>Two tickets</p><img src="cid:qr-1" alt="QR">`,
			Images: []notify.Image{{ID: "qr-1", PNG: []byte("png"), Alt: "QR"}},
		},
	}
	sms = notify.Message{ID: "0SMS", Kind: ticketing.MessageHoldExpiring, Language: "zh-CN", To: "+8613800138000", Content: notify.Content{Text: "【船票】留票即将结束"}}
)

func open(t *testing.T) (*inbox.Folder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inbox")
	folder, err := inbox.Open(path)
	require.NoError(t, err)
	return folder, path
}

func get(t *testing.T, folder *inbox.Folder, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	folder.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return answer
}

func TestAMessageIsKeptOnce(t *testing.T) {
	t.Parallel()
	folder, path := open(t)
	sender := folder.Sender(ticketing.ChannelMail)
	_, found, err := sender.Find(t.Context(), mail, time.Now())
	require.NoError(t, err)
	require.False(t, found)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			receipt, err := sender.Send(t.Context(), mail)
			require.NoError(t, err)
			require.Equal(t, mail.ID, receipt.ID)
		})
	}
	all.Wait()
	_, found, err = sender.Find(t.Context(), mail, time.Now())
	require.NoError(t, err)
	require.True(t, found)
	kept, err := folder.Messages(10)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, mail, kept[0].Message)
	require.Equal(t, ticketing.ChannelMail, kept[0].Channel)
	files, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, files, 1, "nothing half is left")
	info, err := files[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "for its owner only")
}

func TestAnIDIsNoPath(t *testing.T) {
	t.Parallel()
	folder, path := open(t)
	evil := mail
	evil.ID = "../evil"
	_, err := folder.Sender(ticketing.ChannelMail).Send(t.Context(), evil)
	require.ErrorIs(t, err, notify.ErrRefused)
	require.NoFileExists(t, filepath.Join(filepath.Dir(path), "evil.json"))
	require.Equal(t, http.StatusNotFound, get(t, folder, "/messages/..%2fevil").Code)
	require.Equal(t, http.StatusNotFound, get(t, folder, "/messages/NONE").Code)
}

func TestAFullDiskIsTemporary(t *testing.T) {
	t.Parallel()
	folder, path := open(t)
	require.NoError(t, os.RemoveAll(path))
	_, err := folder.Sender(ticketing.ChannelMail).Send(t.Context(), mail)
	require.ErrorIs(t, err, notify.ErrTemporary)
}

// TestWhatIsLeftHalfIsNotRead: a process was killed while it kept a message, and another goes on.
func TestWhatIsLeftHalfIsNotRead(t *testing.T) {
	t.Parallel()
	folder, path := open(t)
	sender := folder.Sender(ticketing.ChannelMail)
	_, err := sender.Send(t.Context(), mail)
	require.NoError(t, err)
	file := filepath.Join(path, "messages.jsonl")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	half := mail
	half.ID = "0HALF"
	_, err = sender.Send(t.Context(), half)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(file, int64(len(whole)+len(whole)/2)))
	ids := func() (ids []string) {
		kept, err := folder.Messages(10)
		require.NoError(t, err)
		for _, k := range kept {
			ids = append(ids, k.ID)
		}
		return ids
	}
	require.Equal(t, []string{mail.ID}, ids())
	_, found, err := sender.Find(t.Context(), half, time.Now())
	require.NoError(t, err)
	require.False(t, found)

	other, err := inbox.Open(path)
	require.NoError(t, err)
	_, err = other.Sender(ticketing.ChannelSMS).Send(t.Context(), sms)
	require.NoError(t, err)
	require.Equal(t, []string{sms.ID, mail.ID}, ids(), "also what another process keeps")
	_, err = sender.Send(t.Context(), half)
	require.NoError(t, err)
	require.Equal(t, []string{half.ID, sms.ID, mail.ID}, ids())
}

func TestPagesShowWhatABuyerWouldGet(t *testing.T) {
	t.Parallel()
	folder, _ := open(t)
	require.Contains(t, get(t, folder, "/").Body.String(), "Nothing yet")
	_, err := folder.Sender(ticketing.ChannelMail).Send(t.Context(), mail)
	require.NoError(t, err)
	_, err = folder.Sender(ticketing.ChannelSMS).Send(t.Context(), sms)
	require.NoError(t, err)

	list := get(t, folder, "/")
	require.Regexp(t, `(?s)留票即将结束.*8613800138000 · hold expiring.*Your tickets &amp; more.*Mei &lt;Lin&gt; · mei@example.com · paid`, list.Body.String(), "newest first")
	require.NotContains(t, list.Header().Get("Content-Security-Policy"), "script-src")

	page := get(t, folder, "/messages/0MAIL").Body.String()
	require.Contains(t, page, "data:image/png;base64,cG5n", "the picture is inside")
	require.Contains(t, page, "&lt;p&gt;Two tickets", "the mail's HTML is the frame's, not the page's")
	require.Contains(t, page, `sandbox="allow-popups allow-popups-to-escape-sandbox"`)
	require.Contains(t, get(t, folder, "/messages/0SMS").Body.String(), `lang="zh-CN">【船票】留票即将结束`)

	var kept []inbox.Kept
	require.NoError(t, json.Unmarshal(get(t, folder, "/messages.json").Body.Bytes(), &kept))
	require.Len(t, kept, 2)
	require.Equal(t, sms, kept[0].Message)
}
