package plugintest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/superpayhub/superpay/sdk/plugin"
)

// processRules are about the plugin as a process. Package sdk/plugin keeps them for a
// plugin in Go; one in another language has to keep them itself.
var processRules = []rule{
	{
		name: "process_healthy", plugin: processHealthy,
		advice: "Serve gRPC's health service: Check of the service \"plugin\" answers SERVING. The hub asks every few seconds, and ends a plugin that does not answer.",
	},
	{
		name: "process_private", plugin: processPrivate,
		advice: "Demand the certificate of PLUGIN_CLIENT_CERT of every client: without it any program on the machine could refund.",
	},
	{
		name: "process_keeps_signals", plugin: processKeepsSignals,
		advice: "Ignore SIGINT and SIGTERM: the hub ends a plugin after its last call, and a Ctrl-C that reaches every process must not come before it.",
	},
	{
		name: "process_shuts_down", plugin: processShutsDown,
		advice: "End the process when go-plugin's GRPCController is asked to Shutdown; the hub kills what is there two seconds later.",
	},
	{
		name: "process_ends_with_hub", plugin: processEndsWithHub,
		advice: "With SUPERPAY_WATCH_STDIN=1 read standard input and end when that ends: it is how a plugin notices that its hub was killed.",
	},
}

func processHealthy(s *sheet) {
	s.must("the health of \"plugin\"", s.healthy(s.client.Conn()))
}

// healthy asks for the plugin's health as the hub does.
func (s *sheet) healthy(conn *grpc.ClientConn) error {
	ctx, cancel := s.within(patience)
	defer cancel()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err != nil {
		return err
	}
	if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("it is %s, want SERVING", answer.GetStatus())
	}
	return nil
}

// processPrivate asks over connections that the hub did not make.
func processPrivate(s *sheet) {
	certificate, _, err := newCertificate()
	s.must("a certificate", err)
	trusting := func(own ...tls.Certificate) credentials.TransportCredentials {
		return credentials.NewTLS(&tls.Config{Certificates: own, InsecureSkipVerify: true}) //nolint:gosec // it is the plugin that has to check
	}
	for what, stranger := range map[string]credentials.TransportCredentials{
		"without TLS": insecure.NewCredentials(), "without a certificate": trusting(), "with a certificate of its own": trusting(certificate),
	} {
		dial := func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, s.main.addr.Network(), s.main.addr.String())
		}
		conn, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(stranger), grpc.WithContextDialer(dial))
		s.must("a connection", err)
		if s.healthy(conn) == nil {
			s.Errorf("a stranger %s is let in", what)
		}
		_ = conn.Close()
	}
}

func processKeepsSignals(s *sheet) {
	p, err := s.launch()
	s.must("a fresh process", err)
	defer p.kill()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if err := p.cmd.Process.Signal(signal); err != nil {
			s.Logf("%s cannot be sent: %v", signal, err) // on Windows
			return
		}
		time.Sleep(signalled)
		if err := s.healthy(p.client.Conn()); err != nil {
			s.fatalf("after %s the plugin does not answer: %v", signal, err)
		}
	}
}

// signalled is when a signal has surely had its effect.
const signalled = 200 * time.Millisecond

// processShutsDown asks as go-plugin does, which kills the process after two seconds: a
// busy machine may need more.
func processShutsDown(s *sheet) {
	p, err := s.launch()
	s.must("a fresh process", err)
	defer p.kill()
	ctx, cancel := s.within(patience)
	defer cancel()
	answer := p.client.Conn().Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	for deadline := time.Now().Add(s.settling()); !p.exited(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Errorf("%s after it was asked to shut down the plugin still runs; it answered: %v", s.settling(), answer)
			return
		}
	}
}

// processEndsWithHub starts the plugin without go-plugin, which would keep its own
// standard input open.
func processEndsWithHub(s *sheet) {
	_, hub, err := newCertificate()
	s.must("a certificate", err)
	path, err := s.executable()
	s.must("the executable", err)
	ctx, cancel := s.within(patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append([]string{
		plugin.Handshake.MagicCookieKey + "=" + plugin.Handshake.MagicCookieValue, fmt.Sprintf("PLUGIN_PROTOCOL_VERSIONS=%d", plugin.ProtocolVersion),
		"PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_CLIENT_CERT=" + hub, plugin.WatchStdinEnv + "=1",
	}, s.options.Env...)
	cmd.Stderr = s.ear
	stdin, err := cmd.StdinPipe()
	s.must("its standard input", err)
	stdout, err := cmd.StdoutPipe()
	s.must("its standard output", err)
	s.must("a fresh process", cmd.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	s.must("the handshake", err)
	_ = stdin.Close()
	late := time.AfterFunc(s.settling(), cancel) // which kills it
	_ = cmd.Wait()
	if !late.Stop() {
		s.Errorf("standard input ended, and %s later the plugin still ran", s.settling())
	}
}

// newCertificate makes one as a hub does, and writes it as PEM.
func newCertificate() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(text), nil
}
