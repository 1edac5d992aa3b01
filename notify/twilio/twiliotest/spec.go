package twiliotest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// spec is Twilio's OpenAPI document, of which only messages are looked at; nil validates nothing. Requests and answers are held to
// more than it says: parameters and fields that it does not name are mistakes.
type spec struct{ router routers.Router }

const (
	// messagesPath is the one that the stand-in serves.
	messagesPath = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
	formType     = "application/x-www-form-urlencoded"
)

// specs are the documents that were read, by their hash: it takes long.
var specs struct {
	sync.Mutex

	read map[[sha256.Size]byte]*spec
}

func readSpec(encoded []byte) (*spec, error) {
	specs.Lock()
	defer specs.Unlock()
	key := sha256.Sum256(encoded)
	if s, ok := specs.read[key]; ok {
		return s, nil
	}
	s, err := parseSpec(encoded)
	if err != nil {
		return nil, fmt.Errorf("twilio's OpenAPI document: %w", err)
	}
	if specs.read == nil {
		specs.read = map[[sha256.Size]byte]*spec{}
	}
	specs.read[key] = s
	return s, nil
}

func parseSpec(encoded []byte) (*spec, error) {
	whole, err := openapi3.NewLoader().LoadFromData(encoded)
	if err != nil {
		return nil, err
	}
	messages := whole.Paths.Find(messagesPath)
	if messages == nil || messages.Get == nil || messages.Post == nil || whole.Components == nil {
		return nil, fmt.Errorf("it has no %s", messagesPath)
	}
	message := whole.Components.Schemas["api.v2010.account.message"]
	if message == nil {
		return nil, errors.New("it does not say what a message is")
	}
	only := false
	message.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &only}
	messages.Servers, whole.Servers = nil, nil
	whole.Paths = openapi3.NewPaths(openapi3.WithPath(messagesPath, messages))
	router, err := legacy.NewRouter(whole, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		return nil, err
	}
	return &spec{router}, nil
}

func (s *spec) input(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	route, parameters, err := s.router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true}, // who asks was checked before
	}, nil
}

// request says what of a request does not keep the document. Its body stays to be read.
func (s *spec) request(r *http.Request) error {
	if s == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	defer func() { r.Body = io.NopCloser(bytes.NewReader(body)) }()
	input, err := s.input(r)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if err := errors.Join(unknown(input.Route.Operation, r, body), openapi3filter.ValidateRequest(r.Context(), input)); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}

// unknown says which parameters of a request the document does not name: it lets any through.
func unknown(operation *openapi3.Operation, r *http.Request, body []byte) error {
	var errs []error
	for name := range r.URL.Query() {
		if operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			errs = append(errs, fmt.Errorf("the parameter %q does not exist", name))
		}
	}
	if operation.RequestBody == nil {
		return errors.Join(errs...)
	}
	media := operation.RequestBody.Value.Content.Get(formType)
	form, err := url.ParseQuery(string(body))
	if err != nil || media == nil {
		return errors.Join(append(errs, fmt.Errorf("not a form: %w", err))...)
	}
	for name := range form {
		if media.Schema.Value.Properties[name] == nil {
			errs = append(errs, fmt.Errorf("the field %q does not exist", name))
		}
	}
	return errors.Join(errs...)
}

// response says what of an answer does not keep the document.
func (s *spec) response(r *http.Request, status int, body []byte) error {
	if s == nil {
		return nil
	}
	input, err := s.input(r)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	answer := (&openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: status, Header: http.Header{"Content-Type": {"application/json"}}}).SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.WithoutCancel(r.Context()), answer); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
