package onemachine

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/boxoffice/boxoffice/store/localpostgres"
)

// What is made up once per data folder.
var generated = map[string]func() string{
	"BOXOFFICE_ENCRYPTION_KEYS":      func() string { return "k1:" + base64.StdEncoding.EncodeToString(random(32)) },
	"BOXOFFICE_SANDBOX_MERCHANT":     func() string { return "M" + strings.ToUpper(hex.EncodeToString(random(6))) },
	"BOXOFFICE_SANDBOX_KEY":          func() string { return hex.EncodeToString(random(32)) },
	"BOXOFFICE_SANDBOX_CALLBACK_KEY": func() string { return hex.EncodeToString(random(32)) },
	"BOXOFFICE_CODEC_TOKEN":          func() string { return hex.EncodeToString(random(24)) },
}

func random(bytes int) []byte {
	secret := make([]byte, bytes)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// secrets reads the file of secrets and adds what is missing in it.
func (s Settings) secrets() (map[string]string, error) {
	secrets, err := readVariables(s.secretsFile())
	if errors.Is(err, fs.ErrNotExist) {
		if written, err := localpostgres.Exists(s.postgresFolder()); err != nil {
			return nil, err
		} else if written {
			return nil, fmt.Errorf("%s is missing, and without its keys the data in %s cannot be read: "+
				"put it back, or move the whole folder away to start anew", s.secretsFile(), s.Data)
		}
		secrets = map[string]string{}
	} else if err != nil {
		return nil, err
	}

	complete := true
	for variable, generate := range generated {
		if secrets[variable] == "" {
			secrets[variable] = generate()
			complete = false
		}
	}
	if complete {
		return secrets, nil
	}
	return secrets, writeVariables(s.secretsFile(), secrets)
}

func readVariables(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	variables := map[string]string{}
	for number, line := range strings.Split(string(content), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("%s, line %d: not of the form NAME=value", path, number+1)
		}
		variables[name] = value
	}
	return variables, nil
}

// writeVariables replaces the file as a whole, on disk before anything is encrypted with the keys in it.
func writeVariables(path string, variables map[string]string) error {
	var content strings.Builder
	content.WriteString("# Made by boxoffice for this folder. The data beside it cannot be read without it.\n")
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&content, "%s=%s\n", name, variables[name])
	}
	unfinished := path + ".unfinished"
	file, err := os.OpenFile(unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(content.String()); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}
