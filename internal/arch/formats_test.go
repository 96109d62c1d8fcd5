package arch

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	consensusv1 "github.com/dureledger/dure/gen/dure/consensus/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// TestStoredFormatsAreDeterministic holds what docs/decisions/003 promises of every message that is stored or hashed: no
// map and no float. These files import those of the modules.
func TestStoredFormatsAreDeterministic(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range []protoreflect.FileDescriptor{
		txv1.File_dure_tx_v1_tx_proto, ledgerv1.File_dure_ledger_v1_ledger_proto, consensusv1.File_dure_consensus_v1_batch_proto,
	} {
		checkFormats(t, file, seen)
	}
	if len(seen) != 10 {
		t.Errorf("looked at %d proto files, want 10: list what is new here", len(seen))
	}
}

func checkFormats(t *testing.T, file protoreflect.FileDescriptor, seen map[string]bool) {
	t.Helper()
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	for i := range file.Messages().Len() {
		checkFields(t, file.Messages().Get(i))
	}
	for i := range file.Imports().Len() {
		checkFormats(t, file.Imports().Get(i), seen)
	}
}

func checkFields(t *testing.T, message protoreflect.MessageDescriptor) {
	t.Helper()
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		if kind := field.Kind(); field.IsMap() || kind == protoreflect.FloatKind || kind == protoreflect.DoubleKind {
			t.Errorf("%s: no map or float in what is stored or hashed", field.FullName())
		}
	}
	for i := range message.Messages().Len() {
		checkFields(t, message.Messages().Get(i))
	}
}
