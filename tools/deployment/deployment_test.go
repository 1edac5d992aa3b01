package deployment

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// root is the repository's folder.
const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// variables are the NAME=value lines of a file of settings.
func variables(content string) map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(content) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = value
		}
	}
	return found
}

// generated is what the script that makes .env prints.
func generated(t *testing.T) map[string]string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "bash", filepath.Join(root, "scripts/compose-env.sh")).Output()
	if err != nil {
		t.Fatal(err)
	}
	return variables(string(output))
}

func project(t *testing.T, environment map[string]string) (*types.Project, error) {
	t.Helper()
	var settings []string
	for name, value := range environment {
		settings = append(settings, name+"="+value)
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, cli.WithName("boxoffice"), cli.WithEnv(settings))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// The file is valid by the Compose specification, and no secret has a default.
func TestComposeFileIsValidWithTheGeneratedSecretsOnly(t *testing.T) {
	environment := generated(t)
	if _, err := project(t, environment); err != nil {
		t.Fatal(err)
	}
	for name := range environment {
		without := maps.Clone(environment)
		delete(without, name)
		if _, err := project(t, without); err == nil {
			t.Errorf("the Compose file starts without %s", name)
		}
	}
}

func TestSecretsAreDocumentedAndDifferEachTime(t *testing.T) {
	example, first, second := variables(read(t, "deploy/example.env")), generated(t), generated(t)
	if want, got := slices.Sorted(maps.Keys(example)), slices.Sorted(maps.Keys(first)); !slices.Equal(want, got) {
		t.Errorf("deploy/example.env documents %v, scripts/compose-env.sh makes %v", want, got)
	}
	for name, value := range example {
		if value != "" {
			t.Errorf("deploy/example.env gives %s a value: a secret in the repository is none", name)
		}
	}
	for name, value := range first {
		if len(value) < 12 || value == second[name] {
			t.Errorf("%s is not a secret of its own: %q", name, value)
		}
	}
}

// A variable that config does not know would be a setting without effect.
func TestContainersAreToldOnlyWhatTheProductReads(t *testing.T) {
	known := map[string]bool{}
	for _, match := range regexp.MustCompile(`env:"([A-Z_]+)"`).FindAllStringSubmatch(read(t, "config/config.go")+read(t, "config/messages.go"), -1) {
		known["BOXOFFICE_"+match[1]] = true
	}
	if len(known) < 10 {
		t.Fatalf("config/config.go is not read rightly: %v", known)
	}
	for _, name := range regexp.MustCompile(`BOXOFFICE_[A-Z_]+`).FindAllString(read(t, "deploy/Dockerfile"), -1) {
		if !known[name] {
			t.Errorf("deploy/Dockerfile sets %s, which config does not know", name)
		}
	}
	compose, err := project(t, generated(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range compose.Services {
		for name := range service.Environment {
			if strings.HasPrefix(name, "BOXOFFICE_") && !known[name] {
				t.Errorf("service %s sets %s, which config does not know", service.Name, name)
			}
		}
	}
}

func TestPortsAreForThisMachineOnly(t *testing.T) {
	compose, err := project(t, generated(t))
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for _, service := range compose.Services {
		for _, port := range service.Ports {
			published[port.Published] = true
			if port.HostIP != "127.0.0.1" {
				t.Errorf("service %s publishes %s on %q", service.Name, port.Published, port.HostIP)
			}
		}
	}
	// The same as `make run`.
	for _, port := range []string{"8080", "8090", "8025", "8233", "8234", "7233"} {
		if !published[port] {
			t.Errorf("port %s is not published", port)
		}
	}
}

// Whatever waits for another service waits until that is healthy or done, and is itself watched.
func TestServicesWaitForWhatTheyNeed(t *testing.T) {
	compose, err := project(t, generated(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range compose.Services {
		for name, need := range service.DependsOn {
			other := compose.Services[name]
			switch need.Condition {
			case types.ServiceConditionHealthy:
				if other.HealthCheck == nil || other.HealthCheck.Disable {
					t.Errorf("%s waits for the health of %s, which has no check", service.Name, name)
				}
			case types.ServiceConditionCompletedSuccessfully:
				if other.Restart != "" && other.Restart != "no" && !strings.HasPrefix(other.Restart, types.RestartPolicyOnFailure) {
					t.Errorf("%s waits for the end of %s, which restarts for ever", service.Name, name)
				}
			default:
				t.Errorf("%s waits for %s only to be %s", service.Name, name, need.Condition)
			}
		}
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("service %s: %v", service.Name, err)
			}
		}
	}
}

func TestImageIsBuiltWithTheGoOfTheModule(t *testing.T) {
	wanted := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	used := regexp.MustCompile(`(?m)^FROM golang:(1\.\d+)`).FindStringSubmatch(read(t, "deploy/Dockerfile"))
	if wanted == nil || used == nil || wanted[1] != used[1] {
		t.Errorf("go.mod wants %q, deploy/Dockerfile builds with %q", wanted, used)
	}
}

// What was tested with the engine that `make run` embeds is run with the same one in containers.
func TestTemporalIsTheOneThatIsEmbedded(t *testing.T) {
	embedded := read(t, "standalone/go.mod")
	compose, err := project(t, generated(t))
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]int{}
	for image, module := range map[string]string{
		"temporalio/server": "go.temporal.io/server", "temporalio/admin-tools": "go.temporal.io/server", "temporalio/ui": "github.com/temporalio/ui-server/v2",
	} {
		wanted := regexp.MustCompile(`(?m)^\t` + regexp.QuoteMeta(module) + ` v(\S+)$`).FindStringSubmatch(embedded)
		if wanted == nil {
			t.Fatalf("standalone/go.mod does not require %s", module)
		}
		for _, service := range compose.Services {
			name, version, _ := strings.Cut(service.Image, ":")
			if name != image {
				continue
			}
			images[image]++
			if version != wanted[1] {
				t.Errorf("service %s is version %s, standalone/ embeds %s", service.Name, version, wanted[1])
			}
		}
		if images[image] == 0 {
			t.Errorf("no service runs %s", image)
		}
	}
}
