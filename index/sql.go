package index

// schemaVersion is raised with every change of the tables or of what is written to them; an index of
// another version is built again.
const schemaVersion = "2"

const (
	sqlSetMeta = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	sqlGetMeta = `SELECT name, value FROM meta`

	sqlEndHold  = `DELETE FROM hold_party WHERE hold = ?`
	sqlEndHolds = `DELETE FROM hold_party WHERE hold = ANY ($1)`

	sqlSeqOf    = `SELECT seq, id FROM tx WHERE prefix = ?`
	sqlIDAt     = `SELECT id FROM tx WHERE seq = ?`
	sqlTimeAt   = `SELECT time FROM tx WHERE seq = ?`
	sqlListMany = `SELECT n, address FROM account WHERE n > ? ORDER BY n LIMIT ?`
	sqlListOwn  = `SELECT n, address FROM account WHERE sponsor = ? AND n > ? ORDER BY n LIMIT ?`
	sqlAssets   = `SELECT asset FROM asset WHERE asset > ? ORDER BY asset LIMIT ?`
	sqlBalances = `SELECT asset FROM balance WHERE account = ? AND asset > ? ORDER BY asset LIMIT ?`
	sqlHolders  = `SELECT account FROM balance WHERE asset = ? AND account > ? ORDER BY account LIMIT ?`
	sqlHolds    = `SELECT seq, hold FROM hold_party WHERE account = ? AND (seq, hold) < (?, ?) ORDER BY seq DESC, hold DESC LIMIT ?`
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

// What only PostgreSQL is asked. The key of the lock is "dure" and the number of the schema.
const (
	sqlPostgresHasSchema = `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)`
	sqlPostgresTables    = `SELECT tablename FROM pg_tables WHERE schemaname = $1`
	sqlPostgresLock      = `SELECT pg_try_advisory_lock((1685418597::bigint << 32) | oid::bigint) FROM pg_namespace WHERE nspname = $1`
)
