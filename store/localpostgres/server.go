package localpostgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres/child"
	"github.com/boxoffice/boxoffice/store/localpostgres/folderlock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const host = "127.0.0.1"

// Options say where and how the server runs.
type Options struct {
	// DataFolder holds the cluster, its password and the log; it is created when missing. When we are root and the
	// server's unprivileged user cannot reach it, a folder under /var/lib is used instead: see [Server.Folder].
	DataFolder string
	// Port on 127.0.0.1; 0 means any free one.
	Port int
	// LogFile receives what the server writes; empty means server.log in the data folder.
	LogFile string
	// Fast leaves out waiting for the disk. Data survives the death of any process but not a power cut. For tests.
	Fast bool
	// MaxConnections limits the clients at one time; 0 means 200.
	MaxConnections int
}

// Server is a running PostgreSQL server. Its methods may be called from any goroutine.
type Server struct {
	folder   folder
	port     int
	password string
	process  *child.Process
	lock     *folderlock.Lock
	// temporary is the folder to remove in the end, empty for one to keep.
	temporary string
}

// PortInUseError says that something else listens on the wanted port.
type PortInUseError struct{ Port int }

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d on %s, wanted for PostgreSQL, is in use", e.Port, host)
}

// Start starts a server and waits until it accepts connections. It creates the cluster the first time, and takes over
// after a predecessor that was killed. It fails with [ErrNotInstalled], [*PortInUseError], or one line that says what
// is wrong; data of another major version is refused and left as it is.
func Start(ctx context.Context, options Options) (*Server, error) {
	installed, err := Find()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(options.DataFolder)
	if err != nil {
		return nil, err
	}
	as, err := serverAccount(folder(path).cluster())
	if err != nil {
		return nil, err
	}
	if path, err = as.reachable(path); err != nil {
		return nil, err
	}
	server := &Server{folder: folder(path)}
	if err := server.prepare(as); err != nil {
		return nil, err
	}
	if err := server.run(ctx, installed, as, options); err != nil {
		server.lock.Release()
		return nil, err
	}
	return server, nil
}

// prepare makes the folder and takes its lock.
func (s *Server) prepare(as account) error {
	if err := os.MkdirAll(filepath.Dir(string(s.folder)), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(string(s.folder), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := as.give(string(s.folder)); err != nil {
		return err
	}
	var err error
	s.lock, err = s.folder.lock()
	return err
}

func (s *Server) run(ctx context.Context, installed []Installation, as account, options Options) error {
	major, err := s.folder.clusterMajor()
	if err != nil {
		return err
	}
	installation, err := choose(installed, major, s.folder.cluster())
	if err != nil {
		return err
	}
	if err := s.folder.awaitPredecessor(ctx); err != nil {
		return err
	}
	if s.port, err = freePort(options.Port); err != nil {
		return err
	}
	if major == 0 {
		if err := s.folder.create(ctx, installation, as, !options.Fast); err != nil {
			return err
		}
	}
	if s.password, err = s.folder.password(); err != nil {
		return err
	}
	for {
		err := s.start(ctx, installation, as, options)
		var taken *PortInUseError
		switch {
		case errors.Is(err, errNotYet):
		case options.Port == 0 && errors.As(err, &taken): // somebody was quicker
			if s.port, err = freePort(0); err != nil {
				return err
			}
			continue
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// errNotYet means that processes of a killed server are still ending.
var errNotYet = errors.New("PostgreSQL cannot start yet")

func (s *Server) start(ctx context.Context, installation Installation, as account, options Options) error {
	logPath := options.LogFile
	if logPath == "" {
		logPath = s.folder.log()
	}
	// A file, not a pipe: the server can go on writing while it shuts down after our death.
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	logStart, err := logFile.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}

	command := exec.Command(filepath.Join(installation.Folder, "postgres"), s.arguments(options)...)
	command.Dir = string(s.folder)
	command.SysProcAttr = as.attributes()
	command.Stdout, command.Stderr = logFile, logFile
	// SIGINT is PostgreSQL's "fast shutdown": clients are disconnected, the data is left clean.
	s.process, err = child.Start(command, syscall.SIGINT)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.awaitReady(ctx); err == nil {
		return nil
	} else if ctx.Err() != nil {
		s.quit()
		return err
	}

	complaint := readFrom(logPath, logStart)
	switch {
	case strings.Contains(complaint, "pre-existing shared memory block"):
		return fmt.Errorf("%w: %s", errNotYet, lastLine(complaint))
	case strings.Contains(complaint, "could not bind"):
		return &PortInUseError{Port: s.port}
	default:
		return fmt.Errorf("PostgreSQL ended while starting, see %s: %s", logPath, lastLine(complaint))
	}
}

func (s *Server) arguments(options Options) []string {
	walSize := "4GB" // after a checkpoint every page is written whole once: not in the midst of a rush
	if options.Fast {
		walSize = "1GB"
	}
	settings := []string{
		"listen_addresses=" + host,
		"port=" + strconv.Itoa(s.port),
		"unix_socket_directories=",
		"max_connections=" + strconv.Itoa(cmp.Or(options.MaxConnections, 200)),
		"shared_buffers=512MB", // taken as it is used
		"max_wal_size=" + walSize,
		"checkpoint_timeout=15min",
		"random_page_cost=1.1",
		"effective_io_concurrency=100",
		"jit=off", // short statements only; compiling them costs more than it saves
		"password_encryption=scram-sha-256",
		// Only what went wrong, not with which values: personal data has no place in a log.
		"log_error_verbosity=terse",
		"log_min_error_statement=panic",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_line_prefix=%m [%p] %d ",
		"fsync=" + onOff(!options.Fast),
		"full_page_writes=" + onOff(!options.Fast),
		"synchronous_commit=on",
	}
	arguments := []string{"-D", s.folder.cluster()}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	return arguments
}

func onOff(value bool) string {
	if value {
		return "on"
	}
	return "off"
}

// awaitReady returns nil once the server accepts connections, and an error when it has ended or ctx has.
func (s *Server) awaitReady(ctx context.Context) error {
	for {
		connection, err := pgconn.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return connection.Close(ctx)
		}
		select {
		case <-s.process.Exited():
			return fmt.Errorf("PostgreSQL ended: %w", s.process.Err())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not accept connections: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// URL is the address of a database on the server, with the superuser's name and password.
func (s *Server) URL(database string) string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.password),
		Host:     net.JoinHostPort(host, strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// Exists reports whether a start with this data folder would find data there.
func Exists(dataFolder string) (bool, error) {
	path, err := filepath.Abs(dataFolder)
	if err != nil {
		return false, err
	}
	as, err := serverAccount(folder(path).cluster())
	if err != nil {
		return false, err
	}
	if path, err = as.reachable(path); err != nil {
		return false, err
	}
	major, err := folder(path).clusterMajor()
	return major != 0, err
}

// Port is where the server listens on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Folder is where the data really is.
func (s *Server) Folder() string { return string(s.folder) }

// PID is the process id of the server.
func (s *Server) PID() int { return s.process.PID() }

// Exited is closed when the server has ended, by Stop or by itself.
func (s *Server) Exited() <-chan struct{} { return s.process.Exited() }

// CreateDatabase creates an empty database; one of that name that exists already is left as it is.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	connection, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	_, err = connection.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	const duplicateDatabase = "42P04"
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok && failure.Code == duplicateDatabase {
		return nil
	}
	return err
}

// Stop shuts the server down: open transactions are rolled back, clients disconnected, data written. When ctx ends
// first the server is told to stop at once, which its next start repairs from its log. Stopping twice is allowed.
func (s *Server) Stop(ctx context.Context) error {
	defer s.letGo()
	s.process.Signal(syscall.SIGINT)
	select {
	case <-s.process.Exited():
		return nil
	case <-ctx.Done():
	}
	s.quit()
	return fmt.Errorf("PostgreSQL was stopped before it had finished: %w", ctx.Err())
}

// letGo gives the folder free for another start.
func (s *Server) letGo() {
	s.lock.Release()
	if s.temporary != "" {
		_ = os.RemoveAll(s.temporary) // leaves rubbish in the system's temporary folder at worst
	}
}

// quit ends the server without its leave-taking.
func (s *Server) quit() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.process.Stop(ctx, syscall.SIGQUIT) // its error only says that it had to be killed
}

// readFrom returns what was written to a file after the offset, or "" if it cannot be read.
func readFrom(path string, offset int64) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	content, _ := io.ReadAll(io.NewSectionReader(file, offset, 1<<20))
	return string(content)
}

// freePort returns the port if nothing listens there, or any free port for 0.
func freePort(port int) (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return 0, &PortInUseError{Port: port}
		}
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
