package index

// schemaVersion is raised with every change of the tables or of what is written to them; a file of another version
// is built again.
const schemaVersion = "1"

// schema makes the tables. Times are unix milliseconds, addresses 20 bytes, digests and ids 32.
var schema = []string{
	`CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,

	// A transaction is found by the first 8 bytes of its id: a third of the space of an index over the whole.
	`CREATE TABLE tx (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, prefix INTEGER NOT NULL, height INTEGER NOT NULL,
		position INTEGER NOT NULL, time INTEGER NOT NULL, status INTEGER NOT NULL)`,
	`CREATE INDEX tx_prefix ON tx (prefix)`,
	`CREATE INDEX tx_failed ON tx (seq) WHERE status = 2`,
	`CREATE TABLE account_tx (account BLOB, seq INTEGER, PRIMARY KEY (account, seq)) WITHOUT ROWID`,
	`CREATE TABLE asset_tx (asset TEXT, seq INTEGER, PRIMARY KEY (asset, seq)) WITHOUT ROWID`,
	`CREATE TABLE digest_tx (digest BLOB, seq INTEGER, PRIMARY KEY (digest, seq)) WITHOUT ROWID`,
	`CREATE VIRTUAL TABLE text_tx USING fts5(body, content='', columnsize=0, tokenize='ascii')`,

	`CREATE TABLE account (n INTEGER PRIMARY KEY, address BLOB NOT NULL UNIQUE, sponsor BLOB NOT NULL)`,
	`CREATE INDEX account_sponsor ON account (sponsor, n)`,
	`CREATE TABLE asset (asset TEXT PRIMARY KEY) WITHOUT ROWID`,
	`CREATE TABLE balance (account BLOB, asset TEXT, PRIMARY KEY (account, asset)) WITHOUT ROWID`,
	`CREATE INDEX balance_asset ON balance (asset, account)`,
	`CREATE TABLE hold_party (account BLOB, seq INTEGER, hold BLOB, PRIMARY KEY (account, seq, hold)) WITHOUT ROWID`,
	`CREATE INDEX hold_party_hold ON hold_party (hold)`,
	`CREATE TABLE record (n INTEGER PRIMARY KEY, digest BLOB NOT NULL, recorder BLOB NOT NULL, name TEXT NOT NULL,
		title TEXT NOT NULL, UNIQUE (digest, recorder))`,
	`CREATE INDEX record_recorder ON record (recorder, n)`,
	`CREATE INDEX record_name ON record (name, n)`,
	`CREATE INDEX record_title ON record (title, n)`,
	`CREATE VIRTUAL TABLE text_record USING fts5(body, content='', columnsize=0, tokenize='ascii')`,
}

// pragmas of every connection. NORMAL syncs at checkpoints only: after a power cut the file is whole but may lack
// its last steps, and the cursor, written with them, says which.
const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
	"&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(67108864)"

const (
	sqlSetMeta = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	sqlGetMeta = `SELECT value FROM meta WHERE name = ?`

	sqlAddTx      = `INSERT INTO tx (seq, id, prefix, height, position, time, status) VALUES (?, ?, ?, ?, ?, ?, ?)`
	sqlAddAccount = `INSERT INTO account_tx (account, seq) VALUES (?, ?)`
	sqlAddAsset   = `INSERT INTO asset_tx (asset, seq) VALUES (?, ?)`
	sqlAddDigest  = `INSERT INTO digest_tx (digest, seq) VALUES (?, ?)`
	sqlAddText    = `INSERT INTO text_tx (rowid, body) VALUES (?, ?)`
	sqlNewAccount = `INSERT INTO account (address, sponsor) VALUES (?, ?) ON CONFLICT DO NOTHING`
	sqlNewAsset   = `INSERT INTO asset (asset) VALUES (?) ON CONFLICT DO NOTHING`
	sqlNewBalance = `INSERT INTO balance (account, asset) VALUES (?, ?) ON CONFLICT DO NOTHING`
	sqlNewHold    = `INSERT INTO hold_party (account, seq, hold) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	sqlDropHold   = `DELETE FROM hold_party WHERE hold = ?`
	sqlNewRecord  = `INSERT INTO record (digest, recorder, name, title) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	sqlRecordText = `INSERT INTO text_record (rowid, body) VALUES (?, ?)`

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
	sqlTxText      = `SELECT t.rowid AS seq FROM text_tx t WHERE text_tx MATCH ? AND t.rowid < ? AND t.rowid >= ?`
	sqlTxHas       = ` AND EXISTS (SELECT 1 FROM %s x WHERE x.%s = ? AND x.seq = t.%s)`
	sqlTxStatus    = ` AND EXISTS (SELECT 1 FROM tx x WHERE x.seq = t.%s AND x.status = ?)`
	sqlTxFailed    = `SELECT t.seq FROM tx t WHERE t.status = 2 AND t.seq < ? AND t.seq >= ?`
	sqlTxHasText   = ` AND t.seq IN (SELECT rowid FROM text_tx WHERE text_tx MATCH ?)`
	sqlTxOrder     = ` ORDER BY t.%s DESC LIMIT ?`
	sqlRecordFrom  = `SELECT r.n, r.digest, r.recorder FROM record r WHERE r.n < ?`
	sqlRecordText2 = ` AND r.n IN (SELECT rowid FROM text_record WHERE text_record MATCH ?)`
	sqlRecordOrder = ` ORDER BY r.n DESC LIMIT ?`
)
