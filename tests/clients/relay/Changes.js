// Mutations as pages made with Relay ask for them, which change the lists that they show; for the compiler alone.
import { graphql } from 'react-relay';

graphql`
  mutation ChangesCreateCustomerMutation($input: CreateCustomerInput!, $connections: [ID!]!) {
    createCustomer(input: $input) {
      customer @appendNode(connections: $connections, edgeTypeName: "CustomerEdge") {
        id
        reference
      }
      clientMutationId
    }
  }
`;

graphql`
  mutation ChangesDeleteCustomerMutation($input: DeleteCustomerInput!) {
    deleteCustomer(input: $input) {
      deletedCustomerId @deleteRecord
      clientMutationId
    }
  }
`;

graphql`
  query ChangesCustomerQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Customer {
        reference
      }
    }
  }
`;
