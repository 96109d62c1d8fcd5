// Package web draws a node's pages: status, transaction, block, account, records and search results.
//
// It is given view structs and knows nothing of where they come from. Templates, the style sheet and the one script are
// embedded; a page loads nothing from elsewhere and needs no script, which only keeps the status page fresh. Every
// text exists in Korean and English; Korean is the default.
package web
