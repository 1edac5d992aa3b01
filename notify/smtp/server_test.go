package smtp_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a mail server that speaks as it is told at one step, and properly at every other.
type server struct {
	t    *testing.T
	addr string
	// says answers the commands that begin with a word; "" cuts the connection. "DOT" is the end of the data.
	says map[string]string
	// certificate, if set, is offered by STARTTLS, or used from the first byte.
	certificate *tls.Certificate
	implicit    bool
	wait        chan struct{} // closed when a silent server may end

	mu    sync.Mutex
	mails []string
	heard []string
}

// silence is an answer that never comes.
const silence = "silence"

func serve(t *testing.T, says map[string]string, change ...func(*server)) *server {
	t.Helper()
	s := &server{t: t, says: says, wait: make(chan struct{})}
	for _, c := range change {
		c(s)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.addr = listener.Addr().String()
	var open sync.WaitGroup
	open.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.talk(connection) })
		}
	})
	t.Cleanup(func() {
		close(s.wait)
		_ = listener.Close()
		open.Wait()
	})
	return s
}

func (s *server) talk(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	if s.implicit {
		connection = tls.Server(connection, &tls.Config{Certificates: []tls.Certificate{*s.certificate}})
	}
	in := bufio.NewReader(connection)
	say := func(word, fallback string) bool {
		text, ok := s.says[word]
		if !ok {
			text = fallback
		}
		switch text {
		case "":
			return false
		case silence:
			<-s.wait
			return false
		}
		_, err := connection.Write([]byte(text + "\r\n"))
		return err == nil
	}
	if !say("GREETING", "220 mail.example ESMTP") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.mu.Lock()
		s.heard = append(s.heard, line)
		s.mu.Unlock()
		word, _, _ := strings.Cut(strings.ToUpper(line), " ")
		var ok bool
		switch word {
		case "EHLO":
			extensions := "250-mail.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
			if s.certificate != nil && !s.implicit {
				extensions += "250-STARTTLS\r\n"
			}
			ok = say("EHLO", extensions+"250 AUTH PLAIN LOGIN")
		case "STARTTLS":
			if ok = say("STARTTLS", "220 go on"); ok {
				connection = tls.Server(connection, &tls.Config{Certificates: []tls.Certificate{*s.certificate}})
				in = bufio.NewReader(connection)
			}
		case "AUTH":
			ok = say("AUTH", "235 welcome")
		case "DATA":
			ok = say("DATA", "354 go on")
			if ok && s.says["DATA"] == "" {
				if _, cut := s.says["DATA"]; cut {
					return
				}
				mail, whole := s.data(in)
				if !whole {
					return
				}
				s.mu.Lock()
				s.mails = append(s.mails, mail)
				s.mu.Unlock()
				ok = say("DOT", "250 2.0.0 Ok: queued as 4XYZ12")
			}
		case "QUIT":
			say("QUIT", "221 bye")
			return
		default:
			ok = say(word, "250 ok")
		}
		if !ok {
			return
		}
	}
}

// data reads a mail up to its dot; a server told to cut there does so in the middle.
func (s *server) data(in *bufio.Reader) (string, bool) {
	var mail strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", false
		}
		if line == ".\r\n" {
			return mail.String(), true
		}
		mail.WriteString(strings.TrimPrefix(line, "."))
		if _, cut := s.says["CONTENT"]; cut {
			return "", false
		}
	}
}

func (s *server) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

// certificate makes one for 127.0.0.1, and those who believe it.
func certificate(t *testing.T) (*tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(encoded)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
