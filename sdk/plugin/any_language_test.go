package plugin

import (
	"fmt"
	"os"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

// TestAnyLanguage_SaysWhatTheWireHas: an author of another language has only the page.
func TestAnyLanguage_SaysWhatTheWireHas(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../any-language.md")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		Handshake.MagicCookieKey, Handshake.MagicCookieValue, WatchStdinEnv, LogLevelEnv, goplugin.EnvUnixSocketDir,
		requestIDKey, orderIDKey, pb.Provider_ServiceDesc.ServiceName, goplugin.GRPCServiceName,
		string((&pb.Outcome{}).ProtoReflect().Descriptor().FullName()),
		sdk.MetadataAttempt, sdk.MetadataInstance, sdk.MetadataOrder, sdk.MetadataRefund, sdk.MetadataApp, sdk.MetadataReference, sdk.MetadataKey, sdk.MetadataDigest,
	}
	for _, kind := range pb.Outcome_Kind_name {
		if kind != pb.Outcome_UNKNOWN.String() {
			names = append(names, kind)
		}
	}
	for _, name := range names {
		if !strings.Contains(string(page), name+"`") {
			t.Errorf("the page does not name %s", name)
		}
	}
	for _, number := range []string{
		fmt.Sprintf("at most %d MiB", maxMessage>>20), fmt.Sprintf("at %d bytes", maxErrorText), fmt.Sprintf("| 2 | `%d`, the version of the contract", ProtocolVersion),
	} {
		if !strings.Contains(string(page), number) {
			t.Errorf("the page does not say %q", number)
		}
	}
}
