package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// engineVersions names the Temporal server and SDK the modules were built with.
func engineVersions() string {
	return fmt.Sprintf("Temporal server %s, Go SDK %s", moduleVersion("standalone", "go.temporal.io/server"), moduleVersion(".", "go.temporal.io/sdk"))
}

func moduleVersion(folder, module string) string {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module)
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(out))
}
