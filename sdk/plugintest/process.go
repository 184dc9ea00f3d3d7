package plugintest

import (
	"fmt"
	"net"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/superpayhub/superpay/sdk/plugin"
)

// process is one running plugin, not yet configured.
type process struct {
	client *plugin.Client
	cmd    *exec.Cmd
	addr   net.Addr // where it listens
	exited func() bool
	kill   func() // asks it to end first
}

// executable is the plugin under examination.
func (x *exam) executable() (string, error) {
	if x.options.Plugin != "" {
		return x.options.Plugin, nil
	}
	return os.Executable()
}

// raceExitsAtOnce: a test's binary with the race detector waits a second at its end, and
// the exam ends many processes.
const raceExitsAtOnce = "GORACE=atexit_sleep_ms=0"

// launch starts a plugin as a hub does. Its log is at its most talkative, for
// what it must not say.
func (x *exam) launch() (*process, error) {
	path, err := x.executable()
	if err != nil {
		return nil, err
	}
	env := append([]string{plugin.LogLevelEnv + "=debug"}, x.options.Env...)
	if x.options.Plugin == "" {
		env = append(env, raceExitsAtOnce)
	}
	cmd := exec.Command(path)
	cmd.Env = env
	run := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  plugin.Handshake,
		VersionedPlugins: plugin.Map(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd:              cmd,
		StartTimeout:     patience,
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Stderr:           x.ear,
		SyncStdout:       x.ear,
		SyncStderr:       x.ear,
		GRPCDialOptions:  append(plugin.DialOptions(), grpc.WithUnaryInterceptor(x.ear.listen)),
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := run.Client()
	if err != nil {
		run.Kill()
		return nil, fmt.Errorf("the plugin does not start: %w", err)
	}
	provider, err := protocol.Dispense(plugin.Name)
	if err != nil {
		run.Kill()
		return nil, fmt.Errorf("the plugin does not say what it is: %w", err)
	}
	return &process{client: provider.(*plugin.Client), cmd: cmd, addr: run.ReattachConfig().Addr, exited: run.Exited, kill: run.Kill}, nil
}
