package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/boxoffice/boxoffice/config"
)

// version is set by the linker for a release.
var version = "development"

func runVersion(context.Context, config.Config, *slog.Logger) error {
	fmt.Println("boxoffice", version)
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Println(info.GoVersion)
	}
	return nil
}
