// What graphql-eslint's presets ask that the schema, or Relay's way to write operations, does not do; and why not.

/** GraphQL itself describes this directive; strawberry prints it from a class of its own, without a word. */
const undescribed = ['oneOf'];

/** Objects without an id: values, and what is seen through its owner alone. The contract names what has one. */
const values = [
  'Balance CareCloudCreditChange CloudreveCreditChange CloudrevePayment CreditSummary HistorySource',
  'HostUpCreditChange HostUpCreditChangeEdit HostUpPayment KindTotal Money PageInfo Provider',
  'ProviderTotal SeriesPoint SourceError UnitSummary Viewer',
].flatMap((line) => line.split(' '));

export const ofSchema = {
  '@graphql-eslint/require-description': [
    'error',
    {
      types: true,
      DirectiveDefinition: true,
      rootField: true,
      ignoredSelectors: [`[name.value=/^(${undescribed.join('|')})$/]`],
    },
  ],
  '@graphql-eslint/strict-id-in-types': [
    'error',
    { exceptions: { types: values, suffixes: ['Connection', 'Edge', 'Payload'] } },
  ],
  // A list that cannot grow without end is no connection in the contract: accounts, sources, balances, nodes.
  '@graphql-eslint/relay-edge-types': [
    'error',
    { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
  ],
};

export const ofRelay = {
  // relay-compiler demands Module_name of a fragment, and that an operation's name ends with its kind.
  '@graphql-eslint/naming-convention': 'off',
  // relay-compiler has directives of its own, and checks them itself.
  '@graphql-eslint/known-directives': 'off',
  // The hooks read a fragment by its name, and relay-compiler writes the query that spreads it.
  '@graphql-eslint/no-unused-fragments': 'off',
  // relay-compiler adds the id wherever there is one.
  '@graphql-eslint/require-selections': 'off',
};
