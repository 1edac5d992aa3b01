package api

import (
	"errors"
	"io"
	"mime"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

// decodeBody reads the JSON body of a request into v, strictly.
func decodeBody(c *fiber.Ctx, v any) error {
	media, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationJSON {
		return ticketing.Errorf(codeUnsupportedMedia, "send application/json")
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ticketing.Errorf(codeUnsupportedMedia, "JSON is UTF-8")
	}
	return decode(c.BodyRaw(), v)
}

// decode reads one JSON object: no unknown or repeated members, no nulls, no
// wrong types, valid UTF-8, nothing after it. What cannot be read at all is
// codeMalformed, what can be read but is not what was asked for CodeInvalid.
func decode(body []byte, v any) error {
	if err := scan(body); err != nil {
		return err
	}
	err := json.Unmarshal(body, v, json.RejectUnknownMembers(true), json.MatchCaseInsensitiveNames(false))
	var semantic *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &semantic):
		field := pointer(semantic.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			return ticketing.FieldErrorf(ticketing.CodeInvalid, field, "there is no such field")
		}
		return ticketing.FieldErrorf(ticketing.CodeInvalid, field, "must be %s", wanted(semantic.GoType))
	default:
		return malformed(err)
	}
}

// scan reads the whole body once for its form. It also refuses null, which no field takes and
// which would otherwise pass for a missing value.
func scan(body []byte) error {
	d := jsontext.NewDecoder(strings.NewReader(string(body)))
	for {
		token, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return malformed(err)
		}
		if token.Kind() == 'n' {
			return ticketing.FieldErrorf(ticketing.CodeInvalid, pointer(d.StackPointer()), "must not be null")
		}
		if d.StackDepth() > maxDepth {
			return ticketing.FieldErrorf(codeMalformed, pointer(d.StackPointer()), "nested too deeply")
		}
	}
}

// maxDepth bounds nesting far above what any request has.
const maxDepth = 32

func malformed(err error) error {
	field := ""
	reason := "not valid JSON"
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		field = pointer(syntactic.JSONPointer)
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			reason = "a field is named twice"
		case strings.Contains(syntactic.Error(), "UTF-8"):
			reason = "not valid UTF-8"
		}
	}
	return ticketing.FieldErrorf(codeMalformed, field, "%s", reason)
}

// pointer bounds a JSON pointer, whose names are the caller's.
func pointer(p jsontext.Pointer) string {
	const most = 200
	if len(p) > most {
		return strings.ToValidUTF8(string(p[:most]), "") + "…"
	}
	return string(p)
}

// wanted says in JSON's words what a Go type takes.
func wanted(t reflect.Type) string {
	if t == nil {
		return "of another type"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int, reflect.Int64:
		return "a whole number in range"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Bool:
		return "true or false"
	default:
		return "of another type"
	}
}
