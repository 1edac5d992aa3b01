// Package storetest gives tests a database of their own on a real PostgreSQL:
// the server of BOXOFFICE_TEST_DATABASE_URL if that is set (its user must be allowed to
// create databases), else one that is started as a child process and ends with the test binary.
//
// Only tests import it.
package storetest
