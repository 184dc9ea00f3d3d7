package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func userCommand() *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "People who sign in to the console"}
	var email, name, role string
	create := &cobra.Command{
		Use: "create --email ADDRESS", Short: "Make a user; asks for the password, or makes one and prints it, once", Args: cobra.NoArgs,
		Long: `Make a user of the console.

At a terminal it asks for the password. If that is left empty, or there is no
terminal, it makes one and prints it alone on standard output, once.`,
		Example: "  hub user create --email li.wei@example.com --role admin",
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				return createUser(c, db, email, name, access.Role(role))
			})
		},
	}
	create.Flags().StringVar(&email, "email", "", "`address` to sign in with")
	create.Flags().StringVar(&name, "name", "", "what others see; without it, the address up to the @")
	create.Flags().StringVar(&role, "role", string(access.Viewer), "viewer reads, operator acts on orders, admin may all")
	_ = create.MarkFlagRequired("email")
	c.AddCommand(create,
		&cobra.Command{
			Use: "list", Short: "List the users", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return listUsers(c, db) })
			},
		},
		&cobra.Command{
			Use: "password ADDRESS", Short: "Give a user a new password, and end the sessions", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withUser(c.Context(), args[0], func(db *postgres.DB, u postgres.User) error { return setPassword(c, db, u) })
			},
		},
		&cobra.Command{
			Use: "disable ADDRESS", Short: "Keep a user out from now on, signed in or not", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withUser(c.Context(), args[0], func(db *postgres.DB, u postgres.User) error { return disableUser(c, db, u) })
			},
		},
	)
	return c
}

func withUser(ctx context.Context, email string, do func(*postgres.DB, postgres.User) error) error {
	return withDatabase(ctx, func(_ *hub, db *postgres.DB) error {
		u, err := db.UserByEmail(ctx, email)
		if err != nil {
			return noSuch(err, "user", email)
		}
		return do(db, u)
	})
}

// byCommand audits what is done on the hub's own machine.
func byCommand(db *postgres.DB, action, object string) (*access.Audit, access.Act) {
	who := "command line"
	for _, name := range []string{os.Getenv("SUDO_USER"), os.Getenv("USER")} {
		if name != "" {
			who += " (" + name + ")"
			break
		}
	}
	return &access.Audit{DB: db, Now: time.Now}, access.Act{Who: who, Action: action, Object: object}
}

func createUser(c *cobra.Command, db *postgres.DB, email, name string, role access.Role) error {
	if _, err := access.NewUser(email, name, role, "", time.Now()); err != nil {
		return said(err)
	}
	password, hash, err := choosePassword(c, email)
	if err != nil {
		return said(err)
	}
	u, err := access.NewUser(email, name, role, hash, time.Now().UTC())
	if err != nil {
		return said(err)
	}
	audit, act := byCommand(db, "user.create", u.ID)
	act.Data = map[string]any{"email": u.Email, "role": u.Role}
	if err := audit.Do(c.Context(), act, func() error { return access.AddUser(c.Context(), db, u) }); err != nil {
		return said(err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "user %s is %s\n", u.Email, u.Role)
	return tellPassword(c, password)
}

func setPassword(c *cobra.Command, db *postgres.DB, u postgres.User) error {
	password, hash, err := choosePassword(c, u.Email)
	if err != nil {
		return said(err)
	}
	audit, act := byCommand(db, "user.password", u.ID)
	if err := audit.Do(c.Context(), act, func() error { return db.SetPassword(c.Context(), u.ID, hash, "", time.Now().UTC()) }); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "user %s has a new password and is signed out everywhere\n", u.Email)
	return tellPassword(c, password)
}

func disableUser(c *cobra.Command, db *postgres.DB, u postgres.User) error {
	if u.DisabledAt != nil {
		return fmt.Errorf("user %s is disabled already", u.Email)
	}
	audit, act := byCommand(db, "user.disable", u.ID)
	if err := audit.Do(c.Context(), act, func() error { return db.DisableUser(c.Context(), u.ID, time.Now().UTC()) }); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "user %s is disabled\n", u.Email)
	return err
}

// choosePassword returns the password too if it was made here.
func choosePassword(c *cobra.Command, email string) (made, hash string, err error) {
	if in := int(os.Stdin.Fd()); term.IsTerminal(in) {
		typed, err := askPassword(c.ErrOrStderr(), in)
		if err != nil || typed != "" {
			if err == nil {
				hash, err = access.HashPassword(c.Context(), typed, email)
			}
			return "", hash, err
		}
	}
	made = access.NewPassword()
	hash, err = access.HashNewPassword(made)
	return made, hash, err
}

// askPassword asks twice, for nobody sees what is typed.
func askPassword(note io.Writer, in int) (string, error) {
	fmt.Fprint(note, "password (empty makes one): ")
	first, err := term.ReadPassword(in)
	fmt.Fprintln(note)
	if err != nil || len(first) == 0 {
		return "", err
	}
	fmt.Fprint(note, "once more: ")
	second, err := term.ReadPassword(in)
	fmt.Fprintln(note)
	if err == nil && string(first) != string(second) {
		err = fmt.Errorf("the two passwords differ; nothing was changed")
	}
	return string(first), err
}

func tellPassword(c *cobra.Command, made string) error {
	if made == "" {
		return nil
	}
	fmt.Fprintln(c.ErrOrStderr(), "the password, shown this once:")
	_, err := fmt.Fprintln(c.OutOrStdout(), made)
	return err
}

func listUsers(c *cobra.Command, db *postgres.DB) error {
	users, err := db.Users(c.Context())
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "E-MAIL\tNAME\tROLE\tSTATE\tLAST SEEN")
	for _, u := range users {
		state, seen := "active", "never"
		if u.DisabledAt != nil {
			state = "disabled"
		}
		if u.SeenAt != nil {
			seen = u.SeenAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", u.Email, u.Name, u.Role, state, seen)
	}
	return out.Flush()
}

// said leaves the code away, which is for programs.
func said(err error) error {
	if e, ok := err.(*ledger.Error); ok {
		return fmt.Errorf("%s", strings.TrimSpace(e.Param+" "+e.Message))
	}
	return err
}
