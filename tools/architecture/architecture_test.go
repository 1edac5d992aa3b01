package architecture

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/glob"
	"go.yaml.in/yaml/v3"
)

const (
	// root is the repository's folder.
	root = "../.."
	// ours is before the folder in the import paths of our packages.
	ours = "github.com/boxoffice/boxoffice/"
)

// row is what the table says of some folders, and of those below them that have no row of their own.
type row struct {
	folders []string
	// may are folders, with /… those below them, too; where all is true, these are the ones that may not be imported.
	may []string
	all bool
}

var (
	code     = regexp.MustCompile("`([^`]+)`")
	readable = regexp.MustCompile("^(?:nothing|all|(?:all but )?`[^`]+`(?:, `[^`]+`)*)$")
)

// named are the folders in a cell of the table.
func named(cell string) []string {
	var all []string
	for _, match := range code.FindAllStringSubmatch(cell, -1) {
		all = append(all, match[1])
	}
	return all
}

// rows reads the table of docs/architecture.md. A third cell is `nothing`, folders, `all`, or `all but` folders.
func rows(document string) ([]row, error) {
	_, table, ok := strings.Cut(document, "| folder | what it is | may import, of ours |\n|---|---|---|\n")
	if !ok {
		return nil, errors.New("docs/architecture.md has no table of folders")
	}
	var all []row
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			break
		}
		may := strings.TrimSpace(cells[2])
		r := row{folders: named(cells[0]), may: named(may), all: strings.HasPrefix(may, "all")}
		if len(r.folders) == 0 || !readable.MatchString(may) {
			return nil, fmt.Errorf("docs/architecture.md: a row that cannot be read: %s", line)
		}
		all = append(all, r)
	}
	return all, nil
}

// below says whether a folder is another one or below it.
func below(folder, other string) bool { return folder == other || strings.HasPrefix(folder, other+"/") }

// allows says whether a package of the row's may import another.
func (r row) allows(imported string) bool {
	listed := slices.ContainsFunc(r.may, func(name string) bool {
		if whole, ok := strings.CutSuffix(name, "/…"); ok {
			return below(imported, whole)
		}
		return imported == name
	})
	return listed != r.all
}

// rowOf is the row of a package: of all that speak of it, the one that is nearest.
func rowOf(table []row, folder string) (nearest row, ok bool) {
	longest := ""
	for _, r := range table {
		for _, name := range r.folders {
			if below(folder, name) && len(name) > len(longest) {
				longest, nearest, ok = name, r, true
			}
		}
	}
	return nearest, ok
}

// rule is one of depguard's.
type rule struct {
	Mode  string   `yaml:"list-mode"`
	Files []string `yaml:"files"`
	Allow []string `yaml:"allow"`
	Deny  []struct {
		Package string `yaml:"pkg"`
	} `yaml:"deny"`
}

func rules(config string) (map[string]rule, error) {
	var content struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]rule `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	err := yaml.NewDecoder(bytes.NewReader([]byte(config))).Decode(&content)
	if err == nil && len(content.Linters.Settings.Depguard.Rules) == 0 {
		err = errors.New(".golangci.yml has no rules for depguard")
	}
	return content.Linters.Settings.Depguard.Rules, err
}

// matches says whether a rule is for a file, as depguard does.
func (r rule) matches(file string) bool {
	found := len(r.Files) == 0
	for _, pattern := range r.Files {
		pattern, not := strings.CutPrefix(pattern, "!")
		pattern = strings.NewReplacer("$all", "**", "$test", "**/*_test.go", "${config-path}/", "").Replace(pattern)
		if glob.MustCompile(pattern, '/').Match(file) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// allows says whether a rule lets an import path pass: the longer pattern wins.
func (r rule) allows(imported string) bool {
	longest := func(patterns []string) int {
		length := -1
		for _, p := range patterns {
			exact, isExact := strings.CutSuffix(p, "$")
			if isExact && imported == exact || !isExact && strings.HasPrefix(imported, p) {
				length = max(length, len(p))
			}
		}
		return length
	}
	var denied []string
	for _, d := range r.Deny {
		denied = append(denied, d.Package)
	}
	allow, deny := longest(r.Allow), longest(denied)
	if r.Mode == "lax" {
		return deny < 0 || allow > deny
	}
	return allow > deny
}

// differences are what the table and the rules say differently of packages.
func differences(document, config string, packages []string) ([]string, error) {
	table, err := rows(document)
	if err != nil {
		return nil, err
	}
	guards, err := rules(config)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, importer := range packages {
		r, ok := rowOf(table, importer)
		if !ok {
			found = append(found, importer+" has no row")
			continue
		}
		for _, imported := range packages {
			enforced := true
			for _, guard := range guards {
				enforced = enforced && (!guard.matches(importer+"/file.go") || guard.allows(ours+imported))
			}
			if said := r.allows(imported); imported != importer && said != enforced {
				found = append(found, fmt.Sprintf("%s may import %s: the table says %t, depguard %t", importer, imported, said, enforced))
			}
		}
	}
	for _, r := range table {
		for _, name := range slices.Concat(r.folders, r.may) {
			name = strings.TrimSuffix(name, "/…")
			if !slices.ContainsFunc(packages, func(folder string) bool { return below(folder, name) }) {
				found = append(found, name+" has no package")
			}
		}
	}
	return found, nil
}

// packages are the folders of our three modules that have Go files which are not tests.
func packages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base == "node_modules" || base == "testdata" || base == "bin" || base == "artefacts" || strings.HasPrefix(base, ".") && base != ".." {
				return filepath.SkipDir
			}
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(name))
		if folder = filepath.ToSlash(folder); err == nil && path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && !slices.Contains(all, folder) {
			all = append(all, folder)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %v", all)
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestTheTableOfImportsIsWhatIsEnforced(t *testing.T) {
	found, err := differences(read(t, "docs/architecture.md"), read(t, ".golangci.yml"), packages(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range found {
		t.Error(difference)
	}
}

// A comparison that finds nothing must be one that would find something.
func TestWhatDiffersIsFound(t *testing.T) {
	document, config, all := read(t, "docs/architecture.md"), read(t, ".golangci.yml"), packages(t)
	replace := func(content, old, by string) string {
		t.Helper()
		if strings.Count(content, old) != 1 {
			t.Fatalf("%q is there %d times", old, strings.Count(content, old))
		}
		return strings.Replace(content, old, by, 1)
	}
	deniesAll := "            - {pkg: github.com/boxoffice/boxoffice, desc: see the table in docs/architecture.md}\n"
	for name, test := range map[string]struct{ document, config, want string }{
		"a row allows more":            {replace(document, "| `activities`, `workflows` |", "| `activities`, `store`, `workflows` |"), config, "worker may import store: the table says true, depguard false"},
		"a row allows less":            {replace(document, "| `activities`, `workflows` |", "| `workflows` |"), config, "worker may import activities: the table says false, depguard true"},
		"a row is gone":                {regexp.MustCompile("(?m)^\\| `worker` .*\n").ReplaceAllString(document, ""), config, "worker has no row"},
		"a row of what is not there":   {replace(document, "| `worker` |", "| `worker`, `workshop` |"), config, "workshop has no package"},
		"a folder that is not there":   {replace(document, "| `activities`, `workflows` |", "| `activities`, `workflow`, `workflows` |"), config, "workflow has no package"},
		"what is below is let in":      {replace(document, "| all but `systemtest/…`,", "| all but `systemtest`,"), config, "cmd/boxoffice may import systemtest/stack: the table says true, depguard false"},
		"a rule is for other files":    {document, replace(config, "${config-path}/worker/**\", \"!$test", "${config-path}/workers/**\", \"!$test"), "worker may import api: the table says false, depguard true"},
		"a rule spares a file":         {document, replace(config, "\"!${config-path}/payment/sandbox/gateway/**\", \"!$test\"", "\"!${config-path}/payment/sandbox/**\", \"!$test\""), "payment/sandbox may import store: the table says false, depguard true"},
		"a rule allows more":           {document, replace(config, "            - github.com/boxoffice/boxoffice/payment/sandbox$\n", "            - github.com/boxoffice/boxoffice/payment/s\n"), "payment/sandbox/gateway may import payment/stripe: the table says false, depguard true"},
		"a rule denies nothing":        {document, strings.ReplaceAll(config, deniesAll, "            - {pkg: example.com, desc: nothing of ours}\n"), "migrations may import web: the table says false, depguard true"},
		"a strict rule allows of ours": {document, replace(config, "allow: [$gostd]", "allow: [$gostd, github.com/boxoffice/boxoffice/encryption$]"), "ticketing may import encryption: the table says false, depguard true"},
	} {
		found, err := differences(test.document, test.config, all)
		if err != nil || !slices.Contains(found, test.want) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	for _, broken := range []string{"", replace(document, "| `activities`, `workflows` |", "| workflows |"), replace(document, "| `worker` |", "| worker |")} {
		if _, err := differences(broken, config, all); err == nil {
			t.Error("what cannot be read is believed")
		}
	}
	if _, err := differences(document, "linters: {}", all); err == nil {
		t.Error("no rules are believed")
	}
}
