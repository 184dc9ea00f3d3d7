// Package plugintest is the exam that every plugin takes: each rule of the
// contract, asked of a real plugin process over the hub's own gRPC, offline,
// against the provider's stand-in. A rule that is broken says what to do.
//
// A plugin's folder holds exam.json (see Paper) and a test:
//
//	func TestMain(m *testing.M) {
//		plugintest.ServeIfStarted(main) // the test's binary is the plugin, too
//		os.Exit(m.Run())
//	}
//
//	func TestExam(t *testing.T) {
//		plugintest.Run(t, plugintest.Options{Sandbox: stand})
//	}
//
// `hub plugin check` gives the same exam to a built plugin.
package plugintest
