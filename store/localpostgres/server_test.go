package localpostgres

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The test binary runs itself again as the process that owns a server and is then killed.
const ownerFolder = "LOCALPOSTGRES_TEST_OWNER_FOLDER"

func TestMain(m *testing.M) {
	folder := os.Getenv(ownerFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	server, err := Start(context.Background(), Options{DataFolder: folder, Fast: true})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(server.URL("postgres") + "\n")
	<-server.Exited()
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// dataFolder is a folder that the server's user can reach, unlike t.TempDir, whose parents are closed to others.
func dataFolder(t *testing.T) string {
	t.Helper()
	parent, err := TemporaryFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	return filepath.Join(parent, "postgres")
}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	options.Fast = true
	server, err := Start(testContext(t), options)
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func query(t *testing.T, url, statement string) string {
	t.Helper()
	ctx := testContext(t)
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(ctx)
	if !strings.HasPrefix(statement, "SELECT") && !strings.HasPrefix(statement, "SHOW") {
		if _, err := connection.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
		return ""
	}
	var answer string
	if err := connection.QueryRow(ctx, statement).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestDataSurvivesARestart(t *testing.T) {
	folder := dataFolder(t)
	first := start(t, Options{DataFolder: folder})
	for range 2 { // creating what exists is no error
		if err := first.CreateDatabase(testContext(t), "tickets"); err != nil {
			t.Fatal(err)
		}
	}
	query(t, first.URL("tickets"), "CREATE TABLE seat AS SELECT 'A1' AS name")
	stop(t, first)

	second := start(t, Options{DataFolder: folder})
	if got := query(t, second.URL("tickets"), "SELECT name FROM seat"); got != "A1" {
		t.Errorf("seat = %q", got)
	}
	if got := query(t, second.URL("postgres"), "SELECT encoding::text FROM pg_database WHERE datname = 'tickets'"); got != "6" {
		t.Errorf("encoding = %s, want 6 (UTF8)", got)
	}
}

func TestTemporaryServerLeavesNothing(t *testing.T) {
	server, err := StartTemporary(testContext(t))
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if got := query(t, server.URL("postgres"), "SELECT 'ready'"); got != "ready" {
		t.Error(got)
	}
	stop(t, server)
	if _, err := os.Stat(filepath.Dir(server.Folder())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", server.Folder())
	}
}

func TestOnlyThePasswordOpensIt(t *testing.T) {
	server := start(t, Options{DataFolder: dataFolder(t)})
	url := strings.Replace(server.URL("postgres"), server.password, "guess", 1)
	if connection, err := pgx.Connect(testContext(t), url); err == nil {
		_ = connection.Close(t.Context())
		t.Error("a wrong password was accepted")
	}
	info, err := os.Stat(filepath.Join(server.Folder(), "password"))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("password file has mode %v", mode)
	}
}

func TestDurableUnlessToldOtherwise(t *testing.T) {
	server := &Server{folder: folder("/data")}
	if settings := strings.Join(server.arguments(Options{}), " "); !strings.Contains(settings, "fsync=on") ||
		!strings.Contains(settings, "synchronous_commit=on") || strings.Contains(settings, "full_page_writes=off") {
		t.Errorf("settings = %s", settings)
	}
}

func TestBusyPortIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	folder := dataFolder(t)
	_, err = Start(testContext(t), Options{DataFolder: folder, Port: port, Fast: true})
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	if busy, ok := errors.AsType[*PortInUseError](err); !ok || busy.Port != port {
		t.Fatalf("error = %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "cluster")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a cluster was made although the server cannot start")
	}
}

func TestSecondServerOnOneFolderIsRefused(t *testing.T) {
	server := start(t, Options{DataFolder: dataFolder(t)})
	_, err := Start(testContext(t), Options{DataFolder: server.Folder(), Fast: true})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error = %v", err)
	}
	if got := query(t, server.URL("postgres"), "SELECT 'alive'"); got != "alive" {
		t.Error("the first server suffered")
	}
}

func TestDataOfAnotherVersionIsLeftAlone(t *testing.T) {
	path := dataFolder(t)
	cluster := filepath.Join(path, "cluster")
	if err := os.MkdirAll(cluster, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cluster, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(testContext(t), Options{DataFolder: path, Fast: true})
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 9") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error = %v", err)
	}
	left, err := os.ReadDir(cluster)
	if err != nil || len(left) != 1 {
		t.Errorf("cluster folder = %v, %v", left, err)
	}
}

func TestHalfMadeClusterIsMadeAgain(t *testing.T) {
	path := dataFolder(t)
	if err := os.MkdirAll(filepath.Join(path, "cluster.unfinished", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	server := start(t, Options{DataFolder: path})
	if got := query(t, server.URL("postgres"), "SELECT 'ready'"); got != "ready" {
		t.Error(got)
	}
}

func TestServerEndsWithItsOwnerAndIsTakenOver(t *testing.T) {
	if _, err := Find(); err != nil {
		t.Skip(err)
	}
	path := dataFolder(t)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerFolder+"="+path)
	owner.Stderr = os.Stderr
	output, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(output).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	query(t, strings.TrimSpace(url), "CREATE TABLE sold AS SELECT 'A1' AS seat")

	_ = owner.Process.Kill()
	_ = owner.Wait()
	server := start(t, Options{DataFolder: path})
	if got := query(t, server.URL("postgres"), "SELECT seat FROM sold"); got != "A1" {
		t.Errorf("seat = %q", got)
	}
}

func TestStalePidOfAStrangerDoesNotMatter(t *testing.T) {
	path := dataFolder(t)
	stop(t, start(t, Options{DataFolder: path}))
	server := folder(path)
	// After a crash of the machine the number may belong to anybody: here to this test.
	if err := os.WriteFile(server.pidFile(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := start(t, Options{DataFolder: path})
	if got := query(t, again.URL("postgres"), "SELECT 'ready'"); got != "ready" {
		t.Error(got)
	}
}
