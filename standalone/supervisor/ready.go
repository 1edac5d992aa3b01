package supervisor

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Answers returns a readiness check: the URL answers 200.
func Answers(url string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for {
			err := answersOnce(ctx, url)
			if err == nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w (%w)", ctx.Err(), err)
			case <-time.After(25 * time.Millisecond):
			}
		}
	}
}

func answersOnce(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
