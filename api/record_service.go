package api

import (
	"context"
	"encoding/hex"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
)

// recordService is dure.api.v1.RecordService.
type recordService struct{ *Server }

func (s *recordService) GetRecords(ctx context.Context, r *connect.Request[apiv1.GetRecordsRequest]) (*connect.Response[apiv1.GetRecordsResponse], error) {
	digest, err := parseHash("digest", r.Msg.GetDigest())
	if err != nil {
		return nil, err
	}
	records, err := s.recordsOf(ctx, digest)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetRecordsResponse{Records: records}), nil
}

// recordsOf is every record of a digest, first first.
func (s *Server) recordsOf(_ context.Context, digest [32]byte) ([]*apiv1.Record, error) {
	st, _ := s.ledger.State()
	var out []*apiv1.Record
	for _, k := range index.ReadRecorders(st, digest) {
		out = addRecord(out, st, k)
	}
	return out, nil
}

func (s *recordService) ListRecords(ctx context.Context, r *connect.Request[apiv1.ListRecordsRequest]) (*connect.Response[apiv1.ListRecordsResponse], error) {
	f := index.RecordFilter{Name: r.Msg.GetName(), Title: r.Msg.GetTitle(), Text: r.Msg.GetText()}
	var err error
	if f.Recorder, err = optionalAddress("recorder", r.Msg.GetRecorder()); err != nil {
		return nil, err
	}
	for field, text := range map[string]string{"name": f.Name, "title": f.Title, "text": f.Text} {
		if err := bounded(field, text); err != nil {
			return nil, err
		}
	}
	list, next, err := s.index.Records(ctx, f, page(r.Msg))
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	out := &apiv1.ListRecordsResponse{NextPageToken: next}
	for _, k := range list {
		out.Records = addRecord(out.Records, st, k)
	}
	return connect.NewResponse(out), nil
}

func addRecord(list []*apiv1.Record, st state.Reader, k index.RecordKey) []*apiv1.Record {
	rec, ok := index.ReadRecord(st, k)
	if !ok {
		return list
	}
	return append(list, recordOf(k, rec))
}

func recordOf(k index.RecordKey, r *recordv1.Record) *apiv1.Record {
	out := &apiv1.Record{
		Digest: hex.EncodeToString(k.Digest[:]), Recorder: k.Recorder.String(), Size: r.GetSize(), MediaType: r.GetMediaType(),
		Title: r.GetTitle(), Name: r.GetName(), RecordedAt: timestamp(r.GetRecordedAt()), Transaction: hex.EncodeToString(r.GetTx()),
		State: enumName(r.GetState()), Supersedes: hex.EncodeToString(r.GetSupersedes()),
		SupersededBy: hex.EncodeToString(r.GetSupersededBy()), WithdrawReason: r.GetWithdrawReason(), ChangedAt: timestamp(r.GetChangedAt()),
	}
	for _, c := range r.GetCosignatures() {
		out.Cosignatures = append(out.Cosignatures, &apiv1.Cosignature{Account: address(c.GetAccount()), SignedAt: timestamp(c.GetSignedAt())})
	}
	return out
}
