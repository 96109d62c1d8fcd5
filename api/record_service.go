package api

import (
	"context"
	"encoding/hex"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/index"
)

// recordService is dure.api.v1.RecordService.
type recordService struct{ *Server }

func (s *recordService) GetRecords(_ context.Context, r *connect.Request[apiv1.GetRecordsRequest]) (*connect.Response[apiv1.GetRecordsResponse], error) {
	digest, err := parseHash("digest", r.Msg.GetDigest())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetRecordsResponse{Records: s.recordsOf(digest)}), nil
}

// recordsOf is every record of a digest in order of recorder, read from the state: the index may be behind.
func (s *Server) recordsOf(digest [32]byte) []*apiv1.Record {
	st, _ := s.ledger.State()
	var out []*apiv1.Record
	index.ReadRecords(st, digest, func(k index.RecordKey, r *recordv1.Record) { out = append(out, recordOf(k, r)) })
	return out
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
	if s.index == nil {
		return nil, errNoIndex
	}
	list, next, err := s.index.Records(ctx, f, page(r.Msg))
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	out := &apiv1.ListRecordsResponse{NextPageToken: next}
	for _, k := range list {
		if r, ok := index.ReadRecord(st, k); ok {
			out.Records = append(out.Records, recordOf(k, r))
		}
	}
	return connect.NewResponse(out), nil
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
