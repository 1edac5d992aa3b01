package twiliotest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// spec is Twilio's OpenAPI document, of which only messages are looked at; nil validates nothing.
type spec struct{ router routers.Router }

// messagesPath is the one that the stand-in serves.
const messagesPath = "/2010-04-01/Accounts/{AccountSid}/Messages.json"

func readSpec(encoded []byte, origin string) (*spec, error) {
	whole, err := openapi3.NewLoader().LoadFromData(encoded)
	if err != nil {
		return nil, fmt.Errorf("twilio's OpenAPI document: %w", err)
	}
	messages := whole.Paths.Find(messagesPath)
	if messages == nil {
		return nil, fmt.Errorf("twilio's OpenAPI document has no %s", messagesPath)
	}
	messages.Servers = nil
	whole.Servers = openapi3.Servers{{URL: origin}}
	whole.Paths = openapi3.NewPaths(openapi3.WithPath(messagesPath, messages))
	router, err := legacy.NewRouter(whole, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		return nil, fmt.Errorf("twilio's OpenAPI document: %w", err)
	}
	return &spec{router}, nil
}

func (s *spec) input(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	absolute := r.Clone(r.Context())
	absolute.URL.Scheme, absolute.URL.Host = "http", r.Host
	route, parameters, err := s.router.FindRoute(absolute)
	if err != nil {
		return nil, err
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}, // done before
	}, nil
}

// request says what of a request does not keep the document.
func (s *spec) request(r *http.Request) error {
	if s == nil {
		return nil
	}
	input, err := s.input(r)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
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
