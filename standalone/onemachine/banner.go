package onemachine

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// banner says what a newcomer can do now.
func (m *machine) banner(took time.Duration) {
	var lines [][2]string
	add := func(what, where string) { lines = append(lines, [2]string{what, where}) }

	web := m.url(m.HTTP)
	add("Tickets", web+"/")
	add("API", web+"/api/openapi.yaml")
	add("Metrics", web+"/metrics")
	if m.usesOwnTemporal() {
		add("Temporal UI", m.url(m.TemporalUI)+"/namespaces/"+m.Namespace+"/workflows")
	} else {
		add("Temporal", m.ExternalTemporal+", codec server for its UI: "+m.codecEndpoint(m.variables))
	}
	add("Sandbox gateway", m.url(m.Sandbox)+"/  merchant "+m.variables["BOXOFFICE_SANDBOX_MERCHANT"])
	add("Local inbox", m.url(m.Inbox)+"/  mails and SMS that would have been sent")
	if m.postgres != nil {
		add("PostgreSQL", net.JoinHostPort(loopback, strconv.Itoa(m.PostgresPort))+
			"  database "+productDatabase+", user boxoffice, password in "+filepath.Join(m.postgres.Folder(), "password"))
	}
	add("Data", m.Data+"  (its secrets.env holds the keys: keep them together)")
	add("Logs", m.logs())

	m.say("\nboxoffice is ready after %.1f s\n", took.Seconds())
	for _, line := range lines {
		m.say("  %s%s  %s", line[0], strings.Repeat(" ", len("Sandbox gateway")-len(line[0])), line[1])
	}
	m.say("\n  There are no accounts yet: buyers buy as guests, with any name and e-mail address. At the checkout choose the\n" +
		"  sandbox gateway: its page plays the payer, who pays, declines, pays late or closes the tab. No money moves.\n" +
		"\n  Ctrl-C stops everything; the next start goes on where this one stopped.\n")
}
