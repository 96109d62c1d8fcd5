// Package api is what a node answers on its port: the Connect services of dure.api.v1 (JSON over HTTP, gRPC and
// gRPC-Web), server reflection, an OpenAPI document, health checks, the status page and its event stream.
//
// The package declares what it needs of the node in Ledger and holds no state of its own but a count of open
// streams. Refusals are *fault.Error below and dure.api.v1.Error in the details of Connect and gRPC errors.
package api
