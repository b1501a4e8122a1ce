// Lists as pages made with Relay read them. relay-compiler writes an artifact of each fragment and of its refetch
// query, which relay.mjs imports; this file itself is never run.
import { graphql } from 'react-relay';

graphql`
  fragment ListsCreditChanges_forwards on Customer
  @refetchable(queryName: "ListsCreditChangesForwardsQuery")
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }) {
    creditChanges(first: $first, after: $after) @connection(key: "Forwards_creditChanges") {
      edges {
        node {
          id
          occurredAt
        }
      }
    }
  }
`;

graphql`
  fragment ListsCreditChanges_backwards on Customer
  @refetchable(queryName: "ListsCreditChangesBackwardsQuery")
  @argumentDefinitions(last: { type: "Int" }, before: { type: "String" }) {
    creditChanges(last: $last, before: $before) @connection(key: "Backwards_creditChanges") {
      edges {
        node {
          id
          occurredAt
        }
      }
    }
  }
`;

graphql`
  fragment ListsPayments_forwards on Customer
  @refetchable(queryName: "ListsPaymentsForwardsQuery")
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }) {
    payments(first: $first, after: $after) @connection(key: "Forwards_payments") {
      edges {
        node {
          id
          createdAt
        }
      }
    }
  }
`;

graphql`
  fragment ListsPayments_backwards on Customer
  @refetchable(queryName: "ListsPaymentsBackwardsQuery")
  @argumentDefinitions(last: { type: "Int" }, before: { type: "String" }) {
    payments(last: $last, before: $before) @connection(key: "Backwards_payments") {
      edges {
        node {
          id
          createdAt
        }
      }
    }
  }
`;

graphql`
  fragment ListsAccountCreditChanges_forwards on Account
  @refetchable(queryName: "ListsAccountCreditChangesForwardsQuery")
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }) {
    creditChanges(first: $first, after: $after) @connection(key: "Forwards_creditChanges") {
      edges {
        node {
          id
          occurredAt
        }
      }
    }
  }
`;

graphql`
  fragment ListsAccountCreditChanges_backwards on Account
  @refetchable(queryName: "ListsAccountCreditChangesBackwardsQuery")
  @argumentDefinitions(last: { type: "Int" }, before: { type: "String" }) {
    creditChanges(last: $last, before: $before) @connection(key: "Backwards_creditChanges") {
      edges {
        node {
          id
          occurredAt
        }
      }
    }
  }
`;

graphql`
  fragment ListsCustomers_forwards on Query
  @refetchable(queryName: "ListsCustomersForwardsQuery")
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }) {
    customers(first: $first, after: $after) @connection(key: "Forwards_customers") {
      edges {
        node {
          id
          reference
        }
      }
    }
  }
`;

graphql`
  fragment ListsCustomers_backwards on Query
  @refetchable(queryName: "ListsCustomersBackwardsQuery")
  @argumentDefinitions(last: { type: "Int" }, before: { type: "String" }) {
    customers(last: $last, before: $before) @connection(key: "Backwards_customers") {
      edges {
        node {
          id
          reference
        }
      }
    }
  }
`;
