package published

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"
	"github.com/stripe/stripe-mock/spec"
)

// description is read once: it takes a second.
var description = sync.OnceValues(func() (*spec.Spec, error) { return server.LoadSpec(embedded.OpenAPISpec, "") })

// stub is Stripe's own stand-in, which knows every endpoint with its parameters and nothing of what they do.
var stub = sync.OnceValues(func() (*server.StubServer, error) {
	described, err := description()
	if err != nil {
		return nil, err
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, err
	}
	return server.NewStubServer(fixtures, described, false, false)
})

// Ready reads the description, which takes a second or two the first time.
func Ready() error {
	_, err := stub()
	return err
}

// Request says what is wrong with a request: an endpoint that does not exist, a parameter that it does not have or that has
// the wrong type, a missing one. body is the request's.
func Request(r *http.Request, body []byte) error {
	s, err := stub()
	if err != nil {
		return err
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	// The stand-in wants a key of the form test keys had long ago; keys are not what is checked here.
	again.Header.Set("Authorization", "Bearer sk_test_123")
	said := httptest.NewRecorder()
	s.HandleRequest(said, again)
	if said.Code >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: not as Stripe publishes: %s", r.Method, r.URL.Path, said.Body)
	}
	return nil
}

// Version is the version of the API that is described.
func Version() (string, error) {
	described, err := description()
	if err != nil {
		return "", err
	}
	return described.Info.Version, nil
}

// validator checks a value that was read from JSON.
type validator interface{ Validate(value any) error }

// validators are those of objects, by name: they take long to make.
var validators struct {
	sync.Mutex

	made map[string]validator
}

// Object says what is wrong with an object, such as "checkout.session" or "refund", in JSON.
func Object(name string, body []byte) error {
	v, err := validatorOf(name)
	if err != nil {
		return err
	}
	var value map[string]any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	if err := v.Validate(value); err != nil {
		return fmt.Errorf("%s: not as Stripe publishes: %w", name, err)
	}
	return nil
}

func validatorOf(name string) (validator, error) {
	described, err := description()
	if err != nil {
		return nil, err
	}
	validators.Lock()
	defer validators.Unlock()
	if v, ok := validators.made[name]; ok {
		return v, nil
	}
	schema, ok := described.Components.Schemas[name]
	if !ok {
		return nil, fmt.Errorf("no object %q is published", name)
	}
	v, err := spec.GetValidatorForOpenAPI3Schema(schema, spec.GetComponentsForValidation(&described.Components))
	if err != nil {
		return nil, err
	}
	if validators.made == nil {
		validators.made = map[string]validator{}
	}
	validators.made[name] = v
	return v, nil
}

// Example is an object that Stripe publishes as an example, in JSON.
func Example(name string) ([]byte, error) {
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, err
	}
	example, ok := fixtures.Resources[spec.ResourceID(name)]
	if !ok {
		return nil, fmt.Errorf("no example of %q is published", name)
	}
	return json.Marshal(example)
}
