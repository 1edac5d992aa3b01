package temporalserver

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI starts the web UI and returns when it answers. The UI ends the whole process when it cannot listen, which is
// why the address was checked before.
func startUI(options Options) (*uiserver.Server, error) {
	address, err := netip.ParseAddrPort(options.UIAddress)
	if err != nil {
		return nil, err
	}
	ui := uiserver.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: options.Address,
		Host:                address.Addr().String(),
		Port:                int(address.Port()),
		EnableUI:            true,
		DefaultNamespace:    options.Namespaces[0],
		Codec: uiconfig.Codec{
			Endpoint:            options.CodecEndpoint,
			DefaultErrorMessage: "The codec server does not answer: is boxoffice running?",
		},
		CORS:             uiconfig.CORS{CookieInsecure: true}, // plain HTTP on this machine
		DisableNewsFetch: true,                                // nothing leaves this machine
		HideLogs:         true,
	}))
	go func() { _ = ui.Start() }() // never returns an error: see above
	return ui, awaitUI(options.UIAddress)
}

func awaitUI(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers %s", response.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the Temporal UI on %s does not become ready: %w", address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
