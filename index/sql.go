package index

// schemaVersion is raised with every change of the tables or of what is written to them; an index of
// another version is built again.
const schemaVersion = "6"

const (
	sqlSetMeta = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	sqlGetMeta = `SELECT name, value FROM meta`

	sqlEndHold  = `DELETE FROM hold_party WHERE hold = ?`
	sqlEndHolds = `DELETE FROM hold_party WHERE hold = ANY ($1)`
	sqlMove     = `UPDATE account SET sponsor = ? WHERE address = ?`
	sqlErase    = `DELETE FROM reading_raw WHERE n <= ?`

	sqlSeqOf      = `SELECT t.seq, t.id FROM id_tx x JOIN tx t ON t.seq = x.seq WHERE x.prefix = ?`
	sqlIDAt       = `SELECT id FROM tx WHERE seq = ?`
	sqlTimeAt     = `SELECT time FROM tx WHERE seq = ?`
	sqlListMany   = `SELECT n, address FROM account WHERE n > ? ORDER BY n LIMIT ?`
	sqlListOwn    = `SELECT n, address FROM account WHERE sponsor = ? AND n > ? ORDER BY n LIMIT ?`
	sqlEventsOf   = `SELECT seq, event FROM account_event WHERE account = ? AND (seq, event) < (?, ?) ORDER BY seq DESC, event DESC LIMIT ?`
	sqlAssets     = `SELECT asset FROM asset WHERE asset > ? ORDER BY asset LIMIT ?`
	sqlBalances   = `SELECT asset FROM balance WHERE account = ? AND asset > ? ORDER BY asset LIMIT ?`
	sqlHolders    = `SELECT account FROM balance WHERE asset = ? AND account > ? ORDER BY account LIMIT ?`
	sqlFeeds      = `SELECT feed FROM feed WHERE feed > ? ORDER BY feed LIMIT ?`
	sqlFeedsBy    = `SELECT feed FROM feed WHERE operator = ? AND feed > ? ORDER BY feed LIMIT ?`
	sqlFeedsOf    = `SELECT feed FROM feed_source WHERE device = ? AND feed > ? ORDER BY feed LIMIT ?`
	sqlIssues     = `SELECT schema FROM issue WHERE holder = ? AND schema > ? ORDER BY schema LIMIT ?`
	sqlFacts      = `SELECT fact FROM fact WHERE issuer = ? AND fact > ? ORDER BY fact LIMIT ?`
	sqlConsents   = `SELECT consent FROM consent WHERE recipient = ? AND consent > ? ORDER BY consent LIMIT ?`
	sqlAnchoredAt = `SELECT anchored FROM reading WHERE n = ?`
	sqlHolds      = `SELECT seq, hold FROM hold_party WHERE account = ? AND (seq, hold) < (?, ?) ORDER BY seq DESC, hold DESC LIMIT ?`
)

// Lists whose conditions vary are put together from these parts. The first given condition that names a table of
// its own leads the query, so that its key order gives the pages; the others are looked up for each row.
const (
	sqlTxFrom      = `SELECT t.seq FROM tx t WHERE t.seq < ? AND t.seq >= ?`
	sqlTxLead      = `SELECT t.seq FROM %s t WHERE t.%s = ? AND t.seq < ? AND t.seq >= ?`
	sqlTxText      = `SELECT t.rowid AS seq FROM text_tx t WHERE %s AND t.rowid < ? AND t.rowid >= ?`
	sqlTxHas       = ` AND EXISTS (SELECT 1 FROM %s x WHERE x.%s = ? AND x.seq = t.%s)`
	sqlTxStatus    = ` AND EXISTS (SELECT 1 FROM tx x WHERE x.seq = t.%s AND x.status = ?)`
	sqlTxFailed    = `SELECT t.seq FROM tx t WHERE t.status = 2 AND t.seq < ? AND t.seq >= ?`
	sqlTxHasText   = ` AND t.seq IN (SELECT rowid FROM text_tx WHERE %s)`
	sqlTxOrder     = ` ORDER BY t.%s DESC LIMIT ?`
	sqlRecordFrom  = `SELECT r.n, r.digest, r.recorder FROM record r WHERE r.n < ?`
	sqlRecordText2 = ` AND r.n IN (SELECT rowid FROM text_record WHERE %s)`
	sqlRecordOrder = ` ORDER BY r.n DESC LIMIT ?`
)

// Readings. SQLite uses an index of some rows only when the query repeats word for word what those are.
const (
	sqlNotRefused = ` AND r.verdict < 4`
	sqlAccepted   = ` AND r.verdict = 1`
	sqlOdd        = ` AND r.verdict > 1`
	sqlReadings   = `SELECT r.n, r.seq, t.id, r.action, r.position, r.feed, r.device, r.boot, r.sequence, r.taken, r.anchored, r.value, r.decimals,
		r.verdict, r.reason, r.firmware, r.level FROM reading r JOIN tx t ON t.seq = r.seq`
	sqlReadingOf = sqlReadings + ` WHERE r.device = ? AND r.boot = ? AND r.sequence = ? ORDER BY r.verdict, r.n LIMIT 1`
	sqlAnchor    = sqlReadings + sqlOfAnchor
	sqlOfAnchor  = ` WHERE r.n > ? AND r.n < ? AND r.seq = ? AND r.action = ? ORDER BY r.position`
	sqlOneRaw    = `SELECT w.key, w.raw FROM reading_raw w WHERE w.n = ?`
	sqlRaw       = `SELECT w.key, w.raw FROM reading r JOIN reading_raw w ON w.n = r.n` + sqlOfAnchor
	sqlLatest    = sqlReadings + ` JOIN feed_source s ON r.n = (SELECT x.n FROM reading x WHERE x.feed = s.feed AND x.device = s.device
		AND x.verdict < 4 AND x.verdict = 1 AND x.taken <= ? ORDER BY x.taken DESC, x.n DESC LIMIT 1) WHERE s.feed = ? ORDER BY r.device`

	// What was taken before a span and anchored in it or after it may be from it, and what was anchored in it and claims a later time: a liar would say so.
	sqlWithin  = ` AND r.taken >= ? AND r.anchored >= ? AND (r.taken >= ? OR r.anchored >= ?) AND (r.taken < ? OR r.anchored < ?)`
	sqlOfSpan  = ` WHERE r.feed = ? AND r.device = ? AND r.verdict < 4` + sqlWithin
	sqlCount   = `SELECT r.verdict, count(*), min(r.taken), max(r.taken) FROM reading r` + sqlOfSpan + ` GROUP BY r.verdict ORDER BY r.verdict`
	sqlAnchors = `SELECT a.seq, t.id, t.time, a.readings, a.anchors FROM (SELECT r.seq, count(*) AS readings, count(*) OVER () AS anchors FROM reading r` +
		sqlOfSpan + ` GROUP BY r.seq ORDER BY r.seq DESC LIMIT ?) a JOIN tx t ON t.seq = a.seq ORDER BY a.seq DESC`
	sqlSettlement = `SELECT p.feed, p.device, p.first_at, p.last_at, p.paid, p.forfeited, p.asset, p.amount, p.seq, p.event, t.id, t.time
		FROM settlement p JOIN tx t ON t.seq = p.seq`
	sqlSettlements = sqlSettlement + ` WHERE p.device = ? AND p.last_at >= ? AND p.first_at < ? ORDER BY p.seq DESC, p.event DESC LIMIT ?`
)

// What only PostgreSQL is asked. The key of the lock is "dure" and the number of the schema.
const (
	sqlPostgresHasSchema = `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)`
	sqlPostgresTables    = `SELECT tablename FROM pg_tables WHERE schemaname = $1`
	sqlPostgresLock      = `SELECT pg_try_advisory_lock((1685418597::bigint << 32) | oid::bigint) FROM pg_namespace WHERE nspname = $1`
)
