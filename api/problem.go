package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/language"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Codes of problems that only HTTP knows; the others are in package ticketing.
const (
	codeMalformed        ticketing.Code = "malformed"
	codeKeyRequired      ticketing.Code = "key_required"
	codeUnauthorized     ticketing.Code = "unauthorized"
	codeMethodNotAllowed ticketing.Code = "method_not_allowed"
	codeTimeout          ticketing.Code = "request_timeout"
	codeBodyTooLarge     ticketing.Code = "body_too_large"
	codeHeadersTooLarge  ticketing.Code = "headers_too_large"
	codeUnsupportedMedia ticketing.Code = "unsupported_media_type"
	codeEncodingRefused  ticketing.Code = "encoding_refused"
	codeRateLimited      ticketing.Code = "rate_limited"
	codeUnavailable      ticketing.Code = "unavailable"
	codeInternal         ticketing.Code = "internal"
)

const problemType = "https://boxoffice.dev/problems/"

// kindOfProblem is what a code means over HTTP.
type kindOfProblem struct {
	status int
	title  string
	// chinese is set for codes that buyers meet.
	chinese string
}

// problems is the one map from code to status and title.
var problems = map[ticketing.Code]kindOfProblem{
	ticketing.CodeInvalid:           {422, "The request is not valid", "提交的内容有误"},
	ticketing.CodeNotFound:          {404, "Not found", "未找到"},
	ticketing.CodeSoldOut:           {409, "Not enough tickets left", "余票不足"},
	ticketing.CodeSeatTaken:         {409, "Somebody else has this seat", "座位已被他人选走"},
	ticketing.CodeNotTogether:       {409, "Not enough seats side by side", "没有足够的相邻座位"},
	ticketing.CodeLimitExceeded:     {422, "More tickets than you may have", "超出限购数量"},
	ticketing.CodeVoucherInvalid:    {422, "This code takes nothing off this order", "该优惠码不适用于此订单"},
	ticketing.CodeVoucherMinimum:    {422, "This code is for larger orders", "未达到优惠码的最低消费"},
	ticketing.CodeWindowClosed:      {422, "Not on sale at this time", "不在售票时间内"},
	ticketing.CodeNotOnSale:         {409, "Not on sale", "暂未开售或已停售"},
	ticketing.CodePriceChanged:      {409, "The price has changed", "价格已变动"},
	ticketing.CodeAttendeesRequired: {422, "Name an attendee for every ticket", "请为每张票填写观演人"},
	ticketing.CodeAttendeesUnwanted: {422, "These tickets are not sold to named people", "此活动无需填写观演人"},
	ticketing.CodeAttendeeTaken:     {409, "This person has a ticket already", "该证件已购买本场次的票"},
	ticketing.CodeAttendeeFixed:     {409, "The attendee can no longer be changed", "观演人已不可更改"},
	ticketing.CodeKeyReused:         {422, "This idempotency key was used for another request", "请求标识已被使用"},
	ticketing.CodeOrderClosed:       {409, "The order is over", "订单已结束"},
	ticketing.CodeAlreadyPaid:       {409, "The order is already paid", "订单已支付"},
	ticketing.CodeIllegalTransition: {409, "The order cannot take this step now", "订单当前状态不允许此操作"},
	ticketing.CodeMethodUnavailable: {422, "This payment method cannot be used now", "该支付方式暂不可用"},
	ticketing.CodeNotRefundable:     {409, "These tickets cannot be given back", "这些票不可退"},
	ticketing.CodeConflict:          {409, "Something else happened at the same time", "操作冲突，请重试"},

	codeMalformed:        {400, "The request cannot be read", "请求格式有误"},
	codeKeyRequired:      {400, "An Idempotency-Key header is required", ""},
	codeUnauthorized:     {401, "Not authorised", "无权访问"},
	codeMethodNotAllowed: {405, "Method not allowed", ""},
	codeTimeout:          {408, "The request took too long to arrive", ""},
	codeBodyTooLarge:     {413, "The request body is too large", ""},
	codeHeadersTooLarge:  {431, "The request headers are too large", ""},
	codeUnsupportedMedia: {415, "Unsupported media type", ""},
	codeEncodingRefused:  {415, "Compressed requests are not accepted", ""},
	codeRateLimited:      {429, "Too many requests", "操作过于频繁，请稍后再试"},
	codeUnavailable:      {503, "Temporarily unavailable", "服务暂时不可用，请稍后再试"},
	codeInternal:         {500, "Something went wrong on our side", "系统出错"},
}

// problem is an RFC 9457 problem detail.
type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail,omitzero"`
	Code      ticketing.Code `json:"code"`
	Field     string         `json:"field,omitzero"`
	RequestID string         `json:"request_id,omitzero"`
	// Seats says more of seat_taken.
	Seats *ticketing.LostSeats `json:"seats,omitzero"`
	// Left says more of limit_exceeded.
	Left *int `json:"left,omitzero"`
}

type domainError = ticketing.Error

// fault is an error with what HTTP adds to a domain error.
type fault struct {
	*domainError
	// status replaces the code's own, if not zero.
	status int
	// retryAfter is seconds, if not zero.
	retryAfter int
	// cause is for the log only.
	cause error
}

func (f *fault) Unwrap() []error { return []error{f.domainError, f.cause} }

// unavailable says that something we need did not answer; cause is logged, not told.
func unavailable(cause error) error {
	if ticketing.CodeOf(cause) != "" {
		return cause
	}
	return &fault{
		domainError: ticketing.Errorf(codeUnavailable, "please try again in a moment"),
		retryAfter:  1, cause: cause,
	}
}

// faultOf turns any error into a fault.
func faultOf(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	if domain, ok := errors.AsType[*ticketing.Error](err); ok {
		return &fault{domainError: domain}
	}
	if framework, ok := errors.AsType[*fiber.Error](err); ok {
		return &fault{domainError: ofStatus(framework), cause: err}
	}
	return &fault{domainError: ticketing.Errorf(codeInternal, "the error has been logged"), cause: err}
}

// ofStatus translates the errors of Fiber and of the parser below it.
func ofStatus(e *fiber.Error) *ticketing.Error {
	switch e.Code {
	case http.StatusNotFound:
		return ticketing.Errorf(ticketing.CodeNotFound, "there is nothing here")
	case http.StatusMethodNotAllowed:
		return ticketing.Errorf(codeMethodNotAllowed, "this resource does not know the method")
	case http.StatusRequestTimeout:
		return ticketing.Errorf(codeTimeout, "send the whole request sooner")
	case http.StatusRequestEntityTooLarge:
		return ticketing.Errorf(codeBodyTooLarge, "the body is larger than this resource accepts")
	case http.StatusRequestHeaderFieldsTooLarge:
		return ticketing.Errorf(codeHeadersTooLarge, "the headers are larger than %d bytes", maxHeader)
	}
	if e.Code < 500 || e.Code == http.StatusBadGateway { // the parser's network errors
		return ticketing.Errorf(codeMalformed, "not a well-formed HTTP request")
	}
	return ticketing.Errorf(codeInternal, "the error has been logged")
}

// statusOf is the HTTP status of a fault.
func (f *fault) statusOf() int {
	if f.status != 0 {
		return f.status
	}
	if k, ok := problems[f.Code]; ok {
		return k.status
	}
	return http.StatusInternalServerError
}

// render makes the problem of a fault in the caller's language.
func (f *fault) render(acceptLanguage, requestID string) problem {
	kind, ok := problems[f.Code]
	if !ok {
		kind = problems[codeInternal]
	}
	p := problem{
		Type: problemType + string(f.Code), Title: kind.title, Status: f.statusOf(),
		Detail: f.Message, Code: f.Code, Field: f.Field, RequestID: requestID, Seats: f.Seats, Left: f.Left,
	}
	if kind.chinese != "" && prefersChinese(acceptLanguage) {
		p.Title = kind.chinese
	}
	return p
}

// sendProblem answers with the problem of err.
func sendProblem(c *fiber.Ctx, f *fault, requestID string) {
	body, err := json.Marshal(f.render(c.Get(fiber.HeaderAcceptLanguage), requestID))
	if err != nil {
		body = []byte(`{"type":"` + problemType + `internal","title":"internal","status":500,"code":"internal"}`)
	}
	c.Response().ResetBody()
	c.Status(f.statusOf())
	c.Set(fiber.HeaderContentType, "application/problem+json")
	c.Set(fiber.HeaderCacheControl, "no-store")
	if f.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(f.retryAfter))
	}
	if f.Code == codeUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	c.Response().SetBodyRaw(body)
}

var chineseOrEnglish = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})

// prefersChinese says whether a caller would rather read Chinese than English.
func prefersChinese(acceptLanguage string) bool {
	if !strings.Contains(strings.ToLower(acceptLanguage), "zh") || len(acceptLanguage) > 200 {
		return false
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return false
	}
	_, index, _ := chineseOrEnglish.Match(tags...)
	return index == 1
}
