package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/store/storetest"
)

// contract holds every exchange of every test against openapi.yaml and
// remembers which operations, statuses and problem codes were seen.
var contract *referee

type referee struct {
	validator validator.Validator
	document  *v3.Document
	mu        sync.Mutex
	seen      map[string]bool
}

func TestMain(m *testing.M) {
	var err error
	if contract, err = newReferee(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	storetest.Main(m)
}

func newReferee() (*referee, error) {
	document, err := libopenapi.NewDocument(api.Contract())
	if err != nil {
		return nil, err
	}
	model, err := document.BuildV3Model()
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if ok, problems := v.ValidateDocument(); !ok {
		return nil, fmt.Errorf("openapi.yaml: %v", problems)
	}
	return &referee{validator: v, document: &model.Model, seen: map[string]bool{}}, nil
}

// request requires that a request keeps the contract.
func (r *referee) request(t testing.TB, request *http.Request) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	ok, problems := r.validator.ValidateHttpRequestSync(request)
	require.True(t, ok, "%s %s: the request breaks the contract: %v", request.Method, request.URL, problems)
}

// response requires that a response keeps the contract, and notes it.
func (r *referee) response(t testing.TB, request *http.Request, response *http.Response, body []byte) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	operation, ok := r.operation(request)
	if !ok {
		return // a page, or a path or method that is not there
	}
	status := strconv.Itoa(response.StatusCode)
	promised := operation.Responses.Codes.GetOrZero(status)
	if promised == nil {
		require.Contains(t, "400 405 408 415 431 500", status, "%s answers %s, which openapi.yaml does not promise", operation.OperationId, status)
		status, promised = "default", operation.Responses.Default
		require.NotNil(t, promised)
	}
	r.seen[operation.OperationId+" "+status] = true
	if mediaType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";"); mediaType != "" {
		r.seen[operation.OperationId+" "+status+" "+mediaType] = true
	}
	if code := codeIn(body); code != "" {
		r.seen[operation.OperationId+" "+status+" "+code] = true
	}
	if request.Method == http.MethodHead || strings.HasPrefix(response.Header.Get("Content-Type"), "text/") || response.Header.Get("Content-Type") == "application/yaml" {
		return // no JSON to hold against a schema
	}
	copied := *response
	copied.Body = io.NopCloser(bytes.NewReader(body))
	valid, problems := r.validator.ValidateHttpResponse(request, &copied)
	require.True(t, valid, "%s %s: the response %s breaks the contract: %v\n%s", request.Method, request.URL, status, problems, body)
}

func codeIn(body []byte) string {
	_, rest, ok := bytes.Cut(body, []byte(`"code":"`))
	if !ok {
		return ""
	}
	code, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(code)
}

// operation finds what a request asks for.
func (r *referee) operation(request *http.Request) (*v3.Operation, bool) {
	for path, item := range r.document.Paths.PathItems.FromOldest() {
		if pathMatches(path, request.URL.Path) {
			method := strings.ToLower(request.Method)
			if method == "head" {
				method = "get"
			}
			operation, ok := item.GetOperations().Get(method)
			return operation, ok
		}
	}
	return nil, false
}

func pathMatches(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !(strings.HasPrefix(want[i], "{") && have[i] != "") {
			return false
		}
	}
	return true
}

// gaps lists every operation, status, media type and problem code that the document promises and no
// test has seen.
func (r *referee) gaps() []string {
	var gaps []string
	need := func(what ...string) {
		if key := strings.Join(what, " "); !r.seen[key] {
			gaps = append(gaps, key)
		}
	}
	someDefault := false
	for _, item := range r.document.Paths.PathItems.FromOldest() {
		for _, operation := range item.GetOperations().FromOldest() {
			someDefault = someDefault || r.seen[operation.OperationId+" default"]
			for status, response := range operation.Responses.Codes.FromOldest() {
				need(operation.OperationId, status)
				for mediaType, content := range response.Content.FromOldest() {
					if mediaType == "text/plain" && operation.OperationId == "receiveCallback" {
						continue // what gateways other than the tests' own answer with
					}
					need(operation.OperationId, status, mediaType)
					if mediaType == "application/problem+json" {
						for _, code := range codesOf(content.Schema.Schema()) {
							need(operation.OperationId, status, code)
						}
					}
				}
			}
		}
	}
	if !someDefault {
		gaps = append(gaps, "no operation has answered with its default")
	}
	sort.Strings(gaps)
	return gaps
}

// codesOf lists the problem codes a response's schema narrows the general ones down to.
func codesOf(schema *base.Schema) []string {
	var codes []string
	for _, part := range schema.AllOf {
		if part.IsReference() || part.Schema().Properties == nil {
			continue
		}
		if code, ok := part.Schema().Properties.Get("code"); ok {
			for _, value := range code.Schema().Enum {
				codes = append(codes, value.Value)
			}
		}
	}
	return codes
}

// TestEveryRouteIsInTheContract compares both ways: what is served with what is written down.
func TestEveryRouteIsInTheContract(t *testing.T) {
	w := newWorld(t)
	var served, written []string
	served = append(served, w.server.Routes()...)
	for path, item := range contract.document.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			written = append(written, strings.ToUpper(method)+" "+path)
		}
	}
	require.ElementsMatch(t, written, served)
}
