package plugin

import (
	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

func toConnectRequest(r sdk.ConnectRequest) *pb.ConnectRequest {
	return &pb.ConnectRequest{Settings: r.Settings, Callback: r.Callback, Repair: r.Repair}
}

func fromConnectRequest(r *pb.ConnectRequest) sdk.ConnectRequest {
	return sdk.ConnectRequest{Settings: r.GetSettings(), Callback: r.GetCallback(), Repair: r.GetRepair()}
}

func toConnection(c *sdk.Connection) *pb.Connection {
	return &pb.Connection{
		Settings: c.Settings,
		Findings: each(c.Findings, func(f sdk.Finding) *pb.Finding {
			return &pb.Finding{Subject: f.Subject, Ok: f.OK, Text: f.Text}
		}),
	}
}

func fromConnection(c *pb.Connection) *sdk.Connection {
	return &sdk.Connection{
		Settings: c.GetSettings(),
		Findings: each(c.GetFindings(), func(f *pb.Finding) sdk.Finding {
			return sdk.Finding{Subject: f.GetSubject(), OK: f.GetOk(), Text: f.GetText()}
		}),
	}
}
