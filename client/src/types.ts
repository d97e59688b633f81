/* Generated from openapi.yaml by `npm run client`; not edited by hand. */
import type { Lines, Operation } from './client.ts'

export type schemas = {
  /** A JWE or JWS in JSON (DIDComm v2.1) */
  DidcommEnvelope: Record<string, unknown>
  /** The DID of the one who alone may take it up, and to whom it is sent */
  DidcommPeer: string
  /** How a message to `to` is encrypted: as the specification has it, or as agents of Veramo read it (ECDH-1PU before its draft 04); whoever writes first is answered in their own */
  DidcommDialect: "v2" | "veramo"
  DidcommExchange: {
    id: string
    state: "prepared" | "open" | "done" | "abandoned" | "withdrawn" | "expired"
    created: string
    expires: string
    /** The DID that took it up */
    peer?: string
    /** Of the credential that was issued */
    credentialId?: string
    /** By the id of the query */
    presented?: Record<string, Record<string, unknown>[]>
    /** Out-of-Band 2.0; its id is the pthid of what takes it up */
    invitation?: Record<string, unknown>
    /** The invitation as a URL, for a QR code */
    invitationUrl?: string
  }
  /** Entity Identifier (OpenID Federation 1.0, section 1.2) */
  FederationEntityId: string
  FederationKeys: {
    keys: {
      kty: string
      kid: string
      [member: string]: unknown
    }[]
  }
  /** What a superior says for those below it (OpenID Federation 1.0, sections 3.1.3 and 6) */
  FederationTerms: {
    metadata?: Record<string, unknown>
    metadataPolicy?: Record<string, unknown>
    constraints?: Record<string, unknown>
  }
  FederationRegistration: {
    id: string
    entity: schemas["FederationEntityId"]
    did: string
    state: "pending" | "approved" | "refused" | "ended"
    registered: string
    decided?: string
    jwks: schemas["FederationKeys"]
    entityTypes: string[]
    terms: schemas["FederationTerms"]
  }
  /** Options of DID Resolution by name; unknown ones are answered FEATURE_NOT_SUPPORTED */
  DidOptions: Record<string, string | boolean>
  DidError: {
    /** A URL that ends in the name of the error */
    type: string
    title: string
    detail: string
    /** What broke in the words of this service */
    code?: string
    [member: string]: unknown
  }
  DidResolutionResult: {
    didResolutionMetadata: {
      contentType?: string
      error?: schemas["DidError"]
      [member: string]: unknown
    }
    didDocument: Record<string, unknown> | null
    didDocumentMetadata: Record<string, unknown>
    [member: string]: unknown
  }
  DidDereferencingResult: {
    dereferencingMetadata: {
      contentType?: string
      error?: schemas["DidError"]
      [member: string]: unknown
    }
    contentStream: unknown
    content?: unknown
    contentMetadata: Record<string, unknown>
    [member: string]: unknown
  }
  /** Parameters of OAuth 2.0; those that are not known are passed over (RFC 6749, section 3.1) */
  Oid4vciParameters: Record<string, string>
  Oid4vciToken: {
    access_token: string
    token_type: "DPoP" | "Bearer"
    expires_in: number
    scope?: string
    refresh_token?: string
    authorization_details?: {
      type: "openid_credential"
      credential_configuration_id: string
      credential_identifiers: string[]
    }[]
  }
  Oid4vciIssuerMetadata: {
    credential_issuer: string
    authorization_servers?: string[]
    credential_endpoint: string
    nonce_endpoint: string
    deferred_credential_endpoint?: string
    notification_endpoint?: string
    credential_request_encryption?: Record<string, unknown>
    credential_response_encryption?: Record<string, unknown>
    batch_credential_issuance?: Record<string, unknown>
    display?: Record<string, unknown>[]
    credential_configurations_supported: Record<string, Record<string, unknown>>
    [member: string]: unknown
  }
  Oid4vciOffer: {
    credential_issuer: string
    credential_configuration_ids: string[]
    grants: Record<string, unknown>
  }
  Oid4vciOfferOrder: ({
    /** Of the issuer metadata */
    credentialConfigurationIds: string[]
    /** By credential type, as its schema has them, without the holder (id) */
    claims: Record<string, Record<string, unknown>>
    /** End of the credentials; else the usual of the type */
    validUntil?: string
    /** By which credential the citizen proves who they are before a code is given */
    identifiedBy?: {
      type: string
      claims: Record<string, string | number | boolean>
    }
    /** Both; with identifiedBy the authorization code alone, with txCode the pre-authorized code alone */
    grants?: (("authorization_code" | "urn:ietf:params:oauth:grant-type:pre-authorized_code")[])
    /** A transaction code for the pre-authorized code, which reaches the citizen in another way */
    txCode?: {
      length?: number
      inputMode?: "numeric" | "text"
      description?: string
    }
    /** Until when it is taken up; an hour, a week at most */
    expires?: string
    /** Until when what was taken up is collected; a day after that */
    collectBy?: string
    /** How often each configuration can be collected; once */
    times?: number
    /** An officer has to release the credentials first */
    release?: "officer"
  })
  Oid4vciOfferState: ({
    id: string
    state: "offered" | "collected" | "withdrawn" | "denied" | "expired"
    /** It can be taken up now */
    open: boolean
    release?: "asked" | "given"
    credentialConfigurationIds: string[]
    created: string
    expires: string
    collectBy: string
    times: number
    collected: Record<string, number>
    deliveries?: (({
      credentialConfigurationId: string
      state: "waiting" | "delivered"
      credentialIds?: string[]
      event?: "credential_accepted" | "credential_failure" | "credential_deleted"
      at: string
    })[])
    [member: string]: unknown
  })
  Oid4vciOfferMade: schemas["Oid4vciOfferState"] & {
    credentialOffer: schemas["Oid4vciOffer"]
    credentialOfferUri: string
    links: {
      reference: string
      value: string
      haip: string
    }
    txCode?: string
    [member: string]: unknown
  }
  Certificates: {
    anchors: string[]
    chains: {
      issuer?: string[]
      documentSigner?: string[]
      verifier?: string[]
    }
    [member: string]: unknown
  }
  /** SHA-256 in base64url */
  Sha256: string
  /** What an operation of this agency requires, as far as DCQL can say it */
  Openid4vpRequirement: {
    operationId: string
    params?: Record<string, string>
    credential_format?: schemas["Openid4vpFormat"]
  }
  /** In which credentials are asked for, where their type is to be had in it; dc+sd-jwt if nothing is said */
  Openid4vpFormat: "dc+sd-jwt" | "vc+jwt" | "jwt_vc" | "ldp_vc" | "mso_mdoc"
  /** By which name the wallet knows this verifier (OpenID4VP 1.0, section 5.9.3); x509_hash if nothing is said */
  Openid4vpClientIdPrefix: "x509_hash" | "x509_san_dns" | "decentralized_identifier" | "verifier_attestation" | "redirect_uri"
  /** direct_post.jwt if nothing is said */
  Openid4vpResponseMode: "direct_post" | "direct_post.jwt"
  /** Where the wallet, on the same device, sends the person back to, with the parameter response_code; at an origin of the agency. Its page /openid4vp/return shows the code to the browser that began, and to no other. */
  Openid4vpReturnTo: string
  Openid4vpState: "waiting" | "answered" | "refused" | "expired"
  /** What a wallet answered to a presentation request, by the name of that */
  PresentationReference: {
    request: string
    secret: string
    /** Where the wallet sent the person back */
    response_code?: string
  }
  PresentationToken: string | Record<string, unknown> | schemas["DeviceResponse"]
  /** Mdocs as their holder's device presents them, and what the device signed for beside them (OpenID4VP 1.0, appendix B.2.6) */
  DeviceResponse: {
    deviceResponse: string
    handover: {
      by: "redirect" | "dc_api"
      nonce: string
      clientId?: string
      responseUri?: string
      origin?: string
      jwkThumbprint?: string
    }
  }
  RegistryId: string
  RegistryState: "active" | "suspended" | "revoked" | "lapsed" | "closed"
  RegistryApplicationState: "submitted" | "in_review" | "changes_asked" | "granted" | "refused" | "withdrawn"
  /** As the register's own schema has them */
  RegistryFields: Record<string, unknown>
  /** DID that the credential is bound to */
  RegistryHolder: string
  /** Proves a fresh key that the credential is to be bound to, as OpenID4VCI has it (typ openid4vci-proof+jwt; aud is the agency's URL, nonce the DID of the credential that is presented) */
  RegistryHolderProof: {
    proof_type: "jwt"
    jwt: string
  }
  /** Where the token goes: bound to the pseudonym that the applicant shows, in the domain of the register */
  RegistryWallet: string
  /** The provision the decision rests on */
  RegistryLegalBasis: string
  RegistryCursor: string
  /** Field to value, or to the beginning of one; all have to be met */
  RegistryWhere: Record<string, string | number | boolean | {
    prefix: string
  }>
  RegistryAttachment: {
    name: string
    mediaType: string
    /** Base64url */
    sha256: string
    bytes: number
  }
  RegistryContent: {
    name: string
    mediaType: string
    sha256: string
    bytes: number
    /** Base64 */
    content: string
    [member: string]: unknown
  }
  RegistryList: ({
    registers: (({
      register: string
      title: schemas["RegistryTitles"]
      kind: "licence" | "land" | "quantity"
      tokens: "none" | "licence" | "title" | "asset"
      [member: string]: unknown
    })[])
    [member: string]: unknown
  })
  RegistryTitles: Record<string, string>
  RegistryDefinition: {
    register: string
    title: schemas["RegistryTitles"]
    kind: "licence" | "land" | "quantity"
    credentialType: string
    /** JSON Schema, draft 2020-12 */
    fields: Record<string, unknown>
    tokens: "none" | "licence" | "title" | "asset"
    public: string[]
    search: string[]
    apply?: {
      /** Where what is to be presented stands */
      requirement: string
      oneShot: boolean
      fromCredentials: string[]
      attachments: Record<string, unknown>[]
      [member: string]: unknown
    }
    fee?: {
      currency: string
      amountMinor: string
      [member: string]: unknown
    }
    validityDays?: number
    renewalWindowDays?: number
    legalBases?: string[]
    [member: string]: unknown
  }
  RegistryExtract: {
    entry: schemas["RegistryId"]
    register: string
    number: string
    version: number
    state: schemas["RegistryState"]
    issuer: string
    fields: Record<string, unknown>
    /** What the kind of register adds */
    extract: Record<string, unknown>
    validUntil: string | null
    /** Token id */
    token: string | null
    /** What the token commits to; SHA-256 */
    commitment: string
    changed: string
    /** Of an amendment: the credential as it was signed */
    credential?: string
    [member: string]: unknown
  }
  RegistryFullExtract: schemas["RegistryExtract"] & ({
    holder: string | null
    wallet: string | null
    legalBasis: string
    validFrom: string
    created: string
    [member: string]: unknown
  })
  RegistryPage: {
    entries: schemas["RegistryExtract"][]
    next?: schemas["RegistryCursor"]
    [member: string]: unknown
  }
  RegistryFullPage: {
    entries: schemas["RegistryFullExtract"][]
    next?: schemas["RegistryCursor"]
    [member: string]: unknown
  }
  RegistryHistory: {
    entry: schemas["RegistryId"]
    /** Version after which to go on */
    next?: number
    steps: {
      /** Its digest is SHA-256 of its canonical form (RFC 8785) */
      step: Record<string, unknown>
      digest: string
      proof?: schemas["RecordProof"]
      [member: string]: unknown
    }[]
    [member: string]: unknown
  }
  RegistryApplication: {
    application: schemas["RegistryId"]
    register: string
    purpose: "grant" | "renewal" | "amendment"
    entry: string | null
    state: schemas["RegistryApplicationState"]
    applicant: string
    holder: string
    wallet?: string | null
    fields: Record<string, unknown>
    evidence: Record<string, unknown>[]
    attachments?: schemas["RegistryAttachment"][]
    officer?: string | null
    asked?: string | null
    reasons?: string[] | null
    legalBasis?: string | null
    credential?: string | null
    submitted: string
    changed: string
    /** Of a grant: the number of the entry */
    number?: string
    token?: string | null
    [member: string]: unknown
  }
  RegistryApplications: {
    applications: schemas["RegistryApplication"][]
    next?: string
    [member: string]: unknown
  }
  RegistryCredential: {
    credentialId: string
    compact: string
    format: string
    [member: string]: unknown
  }
  RegistryGrant: {
    application?: schemas["RegistryId"]
    holder?: schemas["RegistryHolder"]
    fields?: schemas["RegistryFields"]
    legalBasis: schemas["RegistryLegalBasis"]
    validUntil?: string
  }
  LandSha256: string
  LandShare: {
    numerator: string
    denominator: string
  }
  LandAmount: {
    amountMinor: string
    currency: string
  }
  /** RFC 7946, WGS 84; at most seven decimals and 2000 vertices. All parcels of one act, with those whose place they take, have at most 6000 positions (geometry_too_large), and not too many sides that run beside one another (geometry_tangled). */
  LandGeometry: {
    type: "Polygon" | "MultiPolygon"
    coordinates: unknown[][]
  }
  /** Square centimetres */
  LandArea: string
  LandParcelInput: {
    parcelNumber: string
    geometry: schemas["LandGeometry"]
    legalAreaSquareCentimetres: schemas["LandArea"]
  }
  LandSurvey: {
    reference: string
    documentSha256: schemas["LandSha256"]
  }
  /** An order, or a certificate, by its maker's number and the digest of its text */
  LandOrder: {
    reference: string
    authority: string
    madeOn: string
    documentSha256: schemas["LandSha256"]
  }
  /** A party as the register knows it, or by what its identity says */
  LandPartyInput: {
    party: schemas["RegistryId"]
  } | {
    person: {
      familyName: string
      givenName: string
      /** Of the identity, as it names itself there */
      issuer?: string
      personalAdministrativeNumber?: string
      pseudonym?: string
    }
  } | {
    company: {
      /** Of mandates and licences */
      issuer: string
      registrationNumber: string
      legalName: string
    }
  }
  LandOwnerInput: {
    of: schemas["LandPartyInput"]
    share: schemas["LandShare"]
  }
  LandEncumbrance: {
    /** What title_blocked names of a caveat or an order */
    id: string
    kind: string
    class: "right" | "restriction" | "responsibility"
    rank?: number
    registeredOn: string
    [member: string]: unknown
  }
  LandTitle: {
    id: schemas["RegistryId"]
    register: string
    number: string
    state: schemas["RegistryState"]
    version: number
    token: string | null
    parcels: {
      id: schemas["RegistryId"]
      parcelNumber: string
      legalAreaSquareCentimetres: schemas["LandArea"]
      geometry?: schemas["LandGeometry"]
      [member: string]: unknown
    }[]
    legalAreaSquareCentimetres: schemas["LandArea"]
    encumbrances: schemas["LandEncumbrance"][]
    predecessors?: schemas["RegistryId"][]
    successors?: schemas["RegistryId"][]
    /** Id of the journal record of the deed */
    deed?: string
    mortgage?: schemas["RegistryId"]
    rank?: number
    order?: schemas["RegistryId"]
    interest?: schemas["RegistryId"]
    [member: string]: unknown
  }
  LandTitles: {
    titles: schemas["LandTitle"][]
    [member: string]: unknown
  }
  LandExtract: schemas["LandTitle"] & {
    issuer: string
    fields: Record<string, unknown>
    commitment: string
    changed: string
    [member: string]: unknown
  }
  LandParty: {
    id: schemas["RegistryId"]
    kind: "person" | "company"
    name: Record<string, string>
    [member: string]: unknown
  }
  LandFullExtract: schemas["LandExtract"] & (({
    legalBasis: string
    wallet: string | null
    owners: {
      party: schemas["LandParty"]
      share: schemas["LandShare"]
      [member: string]: unknown
    }[]
    interests: (({
      id: schemas["RegistryId"]
      origin: schemas["RegistryId"]
      kind: string
      rank: number | null
      legalBasis: string
      terms: Record<string, unknown>
      registered: string
      party?: schemas["LandParty"]
      [member: string]: unknown
    })[])
    [member: string]: unknown
  }))
  LandCredential: {
    credentialId: string
    credential?: string
    format?: string
    [member: string]: unknown
  }
  LandConsent: {
    title: schemas["RegistryId"]
    version: number
    /** Digest of what was agreed to */
    deed: string
    [member: string]: unknown
  }
  LandParcels: {
    type: "FeatureCollection"
    features: {
      type: "Feature"
      id: schemas["RegistryId"]
      geometry: schemas["LandGeometry"]
      properties: {
        title: schemas["RegistryId"]
        parcelNumber: string
        legalAreaSquareCentimetres: schemas["LandArea"]
        [member: string]: unknown
      }
      [member: string]: unknown
    }[]
    next?: string
    [member: string]: unknown
  }
  /** Decimal, in the smallest unit */
  AssetAmount: string
  /** Decimal, in the smallest unit */
  AssetQuantity: string
  /** A class of units, as everybody sees it */
  AssetClass: schemas["RegistryExtract"] & {
    cap: schemas["AssetQuantity"]
    issued: schemas["AssetQuantity"]
    movement?: schemas["RegistryId"]
    party?: schemas["RegistryId"]
    [member: string]: unknown
  }
  AssetMovement: {
    movement: schemas["RegistryId"]
    entry: schemas["RegistryId"]
    giver: schemas["RegistryId"]
    receiver: schemas["RegistryId"]
    amount: schemas["AssetQuantity"]
    [member: string]: unknown
  }
  AssetFreeze: {
    freeze: schemas["RegistryId"]
    party: schemas["RegistryId"]
    amount: schemas["AssetQuantity"]
    frozen: schemas["AssetQuantity"]
    [member: string]: unknown
  }
  AssetHolding: {
    party: schemas["RegistryId"]
    amount: schemas["AssetQuantity"]
    frozen: schemas["AssetQuantity"]
    wallet: string | null
    [member: string]: unknown
  }
  AssetHoldings: ({
    entry: schemas["RegistryId"]
    next?: schemas["RegistryId"]
    holdings: ((schemas["AssetHolding"] & {
      holder: schemas["LandParty"]
      freezes: {
        freeze: schemas["RegistryId"]
        amount: schemas["AssetQuantity"]
        order: schemas["LandOrder"]
        legalBasis: string
        since: string
        [member: string]: unknown
      }[]
      [member: string]: unknown
    })[])
    [member: string]: unknown
  })
  AssetMovements: {
    entry: schemas["RegistryId"]
    next?: schemas["RegistryId"]
    movements: {
      /** Its digest is SHA-256 of its canonical form (RFC 8785) */
      movement: Record<string, unknown>
      digest: string
      proof?: schemas["RecordProof"]
      [member: string]: unknown
    }[]
    [member: string]: unknown
  }
  /** A vp+jwt around credentials, an SD-JWT with key binding, or an object with a DataIntegrityProof; several of them in a list, all over one challenge, which is their nonce. Or what a wallet answered to a presentation request, by its name */
  Presentation: schemas["PresentationToken"] | schemas["PresentationToken"][] | schemas["PresentationReference"]
  /** Of a joint act, the presentations of each party by its name, all over one challenge; each party answers challenge.party (the challenge, a dot and its own name), so that nobody is put into another part */
  Presentations: Record<string, schemas["Presentation"]>
  PendingAct: {
    id: string
    operation: string
    params: Record<string, unknown>
    query?: Record<string, unknown>
    body?: unknown
    state: "open" | "approved" | "refused" | "expired"
    author: {
      kind: string
      id: string
      [member: string]: unknown
    }
    created: string
    expires: string
    decided?: string
    decidedBy?: string
    reason?: string
    [member: string]: unknown
  }
  /** An address on the chain */
  WalletAddress: string
  WalletBindingView: ({
    id: string
    wallet: schemas["WalletAddress"]
    domain: schemas["PseudonymDomain"]
    level: number
    /** signed (not handed in yet), bound, lapsed (never handed in, or replaced since), expired, ended */
    state: "signed" | "bound" | "lapsed" | "expired" | "ended"
    signedAt: string
    expires: string
    endedAt?: string
    /** revocation, suspension, holder, or what staff gave as reason */
    endedWhy?: string
  })
  /** The company's number in the register */
  MandateCompanyNumber: string
  /** DID of the key that the mandate is bound to */
  MandateHolder: string
  MandateOffice: "director" | "chair" | "partner" | "proprietor" | "procurist" | "authorised-signatory" | "liquidator" | "employee" | "agent"
  /** How many signatories of the company act together; 1 is alone */
  MandateJointly: number
  MandateOperations: string[]
  /** The most that one act may move; an empty list sets no bound, otherwise only these currencies */
  MandateLimits: {
    currency: string
    perActMinor: string
  }[]
  MandateGiven: {
    mandateId: string
    credentialId: schemas["CredentialId"]
    holder: string
    /** Where the holder collects it, and what the proof of the key has to say */
    collect: {
      url: string
      audience: string
      nonce: string
    }
  }
  MandateEntry: {
    mandateId: string
    credentialId: schemas["CredentialId"]
    holder: string
    familyName?: string
    givenName?: string
    office: schemas["MandateOffice"]
    operations: schemas["MandateOperations"]
    limits: schemas["MandateLimits"]
    jointly: schemas["MandateJointly"]
    mayDelegate: boolean
    startsOn: string
    endsOn: string
    /** 1 is what the register itself gave */
    level: number
    /** Credential ids of the mandates it comes from */
    givenUnder: string[]
    state: "in_force" | "not_yet" | "expired" | "ended" | "ended_above" | "suspended"
    collected: boolean
    endedAt?: string
    reason?: string
  }
  /** The currency, register or other domain that a pseudonym is unique in */
  PseudonymDomain: string
  AliasKind: "national-id" | "phone"
  /** Base64url of 32 bytes: the output of the function of its kind on the alias */
  AliasTag: string
  /** Initials of a name, as in `A*** B.` */
  AliasMaskedName: string
  /** The institution that keeps the ledger */
  AliasLedger: string
  /** Number of an account on the ledger */
  AliasAccount: number
  /** Base64url of 16 random bytes: for one payment, within ten minutes */
  PaymentAddress: string
  /** A compressed point of P-256, base64url */
  PseudonymElement: string
  CredentialId: string
  Flag: boolean | "0" | "1" | "true" | "false"
  OutboxState: "queued" | "mined" | "final" | "failed"
  Block: {
    chain: string
    number: number
    hash: string
    /** Milliseconds */
    timestamp: number
    [member: string]: unknown
  }
  /** That an entry stands in the agency's log; bytes are base64 */
  LogProof: {
    leafIndex: number
    treeSize: number
    /** The entry: the salted commitment of a journal record */
    leaf: string
    /** Sibling hashes from the leaf upwards (RFC 6962) */
    path: string[]
    /** The signed checkpoint (C2SP tlog-checkpoint) */
    checkpoint: string
    /** Index, path and checkpoint in one text (C2SP tlog-proof) */
    text: string
    [member: string]: unknown
  }
  /** That a journal record stands in the agency's log, and to which effects of its act it commits */
  RecordProof: schemas["LogProof"] & {
    /** One field of the record, opened without the others; absent once the readable record is erased */
    effects?: {
      scheme: string
      field: "effects"
      value: string[]
      salt: string
      /** Of all fields in the order of the scheme */
      commitments: string[]
      [member: string]: unknown
    }
    [member: string]: unknown
  }
  /** A status that a credential is to have (Bitstring Status List 1.0, section 2.1), before it has a place in a list */
  InstanceStatus: {
    type?: "BitstringStatusListEntry"
    statusPurpose: "revocation" | "suspension" | "refresh" | "message"
    /** Bits of a message */
    statusSize?: number
    /** The message of each status that so many bits have */
    statusMessage?: {
      status: string
      message: string
    }[]
    statusReference?: string | string[]
  }
  /** A compact JWS or SD-JWT, an mdoc in base64url, an enveloped credential or presentation, or an object with its proof */
  Secured: string | Record<string, unknown>
  UnsecuredCredential: {
    "@context"?: unknown
    id?: string
    type: string[]
    issuer?: string | {
      id: string
      [member: string]: unknown
    }
    credentialSubject: Record<string, unknown>
    validFrom?: string
    validUntil?: string
    issuanceDate?: string
    expirationDate?: string
    [member: string]: unknown
  }
  WorkflowConfiguration: {
    id?: string
    initialStep: string
    steps: Record<string, Record<string, unknown>>
    issuer?: string
    controller?: string
    credentialTemplates?: Record<string, unknown>[]
  }
  ExchangeRequest: {
    query: Record<string, unknown>[]
    challenge: string
    domain: string
  }
  ExchangeState: {
    id: string
    sequence: number
    expires: string
    step: string
    state: "pending" | "active" | "complete" | "invalid"
    url: string
    lastError?: Record<string, unknown>
    /** With the results of each step by its name */
    variables?: Record<string, unknown>
    [member: string]: unknown
  }
  ExchangeProtocols: {
    protocols: Record<string, string>
  }
  JsonPointers: string[]
  IssueBody: {
    credential: schemas["UnsecuredCredential"]
    options?: schemas["IssueOptions"]
  }
  VerifyBody: {
    verifiableCredential: schemas["Secured"]
    options?: schemas["VerifyOptions"]
  }
  IssueOptions: {
    format?: "dc+sd-jwt" | "vc+jwt" | "jwt_vc" | "ldp_vc" | "mso_mdoc"
    typeVersion?: number
    /** Puts the certificates of the signing key into a dc+sd-jwt, which then ends before they do */
    x5c?: boolean
  }
  VerifyOptions: {
    /** Judge as of this past time */
    at?: string
    checks?: string[]
    /** What was judged stands in the answer */
    returnCredential?: boolean
    returnProblemDetails?: boolean
    /** What was looked at, by the properties of VCALM 1.0 */
    returnResults?: boolean
  }
  CredentialSummary: {
    credentialId: string
    type: string
    typeVersion: number
    format: string
    issuedAt: string
    validUntil: string
    status: "valid" | "suspended" | "revoked"
    [member: string]: unknown
  }
  Verdict: ({
    verified: boolean
    errors: Record<string, unknown>[]
    warnings: Record<string, unknown>[]
    /** What was looked at; with returnResults an object by property (VCALM 1.0), and the list is under checks */
    results: Record<string, unknown>[] | Record<string, unknown>
    checks?: Record<string, unknown>[]
    credentials?: Record<string, unknown>[]
    /** What each entry of a Bitstring Status List came to; of a message with its text */
    statuses?: {
      purpose: string
      value: number
      message?: string
      [member: string]: unknown
    }[]
    block?: schemas["Block"]
    at?: string
    [member: string]: unknown
  })
  LedgerRecord: {
    /** A UUIDv7 (RFC 9562) of now, of the sender's making; the same id and record get the same answer */
    id: string
    /** The entry's bytes in base64url */
    record: string
  }
  LedgerEntered: {
    id?: string
    /** Number in the ledger's one order */
    entry: number
    batch: number
    at: string
    balanceMinor: schemas["LedgerBalance"]
    /** Of a reserve, the number that it is posted, given back and read by */
    reservation?: number
    /** Of an instruct, the number that it is revoked by */
    instruction?: number
  }
  RailMoveState: "sent" | "arrived" | "suspended" | "credited" | "stranded" | "ending" | "refunded"
  RailOpenMoves: ({
    items: (({
      currency: number
      operation: string
      direction: "toChain" | "toLedger"
      account: number
      wallet: string
      state: schemas["RailMoveState"]
      /** Why it waits, where it does */
      reason: string | null
      /** That took the money out of the ledger or put it in */
      entry: number | null
      /** That gave it back */
      refund: number | null
      amountMinor: string
      since: string
      changed: string
      /** How far the last transaction about it has come */
      transaction: "queued" | "mined" | "final" | "failed" | null
      /** Of a transaction that failed: what the contract said */
      error: string | null
    })[])
    next?: string
  })
  /** Of the account that spoke, after the entry; in minor units */
  LedgerBalance: string
  ExchangeAccount: number
  ExchangeView: {
    /** Of the offered transfer */
    id: string
    state: "open" | "settled" | "withdrawn" | "expired"
    from: schemas["ExchangeAccount"]
    to: schemas["ExchangeAccount"]
    currency: number
    amountMinor: schemas["CbdcAmount"]
    counterFrom: schemas["ExchangeAccount"]
    counterTo: schemas["ExchangeAccount"]
    counterCurrency: number
    counterAmountMinor: schemas["CbdcAmount"]
    validUntil: string
    offeredAt: string
    endedAt?: string
    /** Of the offered payment */
    entry?: number
    /** Of the payment that it was accepted with */
    counterEntry?: number
    balanceMinor?: schemas["LedgerBalance"]
  }
  /** Zero: none */
  ExchangeAddress: string
  /** 32 bytes in hex; zeros: none */
  ExchangeHash: string
  ExchangeQuantity: string
  /** In seconds from 1970 (UTC) */
  ExchangeSecond: number
  /** The terms of a lock of the contract, whole, since its id is a hash of them */
  ExchangeLock: {
    payer: schemas["ExchangeAddress"]
    payee: schemas["ExchangeAddress"]
    arbiter: schemas["ExchangeAddress"]
    money: schemas["ExchangeAddress"]
    amountMinor: schemas["ExchangeQuantity"]
    expiry: schemas["ExchangeSecond"]
    hashLock: schemas["ExchangeHash"]
    delivery: schemas["ExchangeAddress"]
    deliveryId: schemas["ExchangeQuantity"]
    otherExpiry: schemas["ExchangeSecond"]
    second: boolean
    salt: schemas["ExchangeHash"]
  }
  ExchangeInspection: ({
    /** Whether all conditions do */
    holds: boolean
    conditions: (({
      name: "hash" | "ledgerState" | "ledgerAmount" | "chainState" | "claimants" | "order" | "expiry"
      holds: boolean
      /** Why not, such as `second_expires_early` or `chain_lock_not_final` */
      reason?: string
    })[])
    ledgerTime: string
    /** Earliest expiry of the leg claimed second */
    earliestSecond: string
    ledger: {
      reservation: number
      currency: number
      state: "pending" | "posted" | "voided" | "expired"
      amountMinor: schemas["CbdcAmount"]
      remainingMinor: schemas["CbdcAmount"]
      expiry: string
      lockHash: schemas["ExchangeHash"]
      preimage?: schemas["ExchangeHash"]
    }
    chain: {
      lockId: schemas["ExchangeHash"]
      /** At the newest final block */
      state: "none" | "locked" | "claimed" | "refunded"
      /** At the head */
      newestState: "none" | "locked" | "claimed" | "refunded"
      block: number
      blockTime: string
      /** Whose money the terms name; null for money that is none of the ledger's */
      currency: number | null
      expiry: string
      preimage?: schemas["ExchangeHash"]
    }
  })
  CbdcPaymentRecord: {
    /** A UUIDv7 (RFC 9562) of now, of the sender's making; the same id and record get the same answer */
    id: string
    /** The entry's bytes in base64url */
    record: string
    /** Of a transfer back to whom its payer was paid by: the entry that it gives back, in part or whole */
    refunds?: number
  }
  /** A UUIDv7 (RFC 9562) */
  CbdcPaymentRequestId: string
  CbdcPaymentRequestState: "open" | "paid" | "declined" | "withdrawn" | "expired"
  CbdcAccountNumber: number
  CbdcShareTerm: number
  /** SHA-256, in hex, of what the two know it by */
  CbdcReferenceDigest: string
  /** The entry that this one gives back */
  CbdcRefunds: number
  /** How much of this entry was given back, in minor units */
  CbdcRefunded: string
  CbdcPaymentRequest: {
    id: schemas["CbdcPaymentRequestId"]
    state: schemas["CbdcPaymentRequestState"]
    currency: number
    payeeAccount: number
    /** Absent: whoever has the id */
    payerAccount?: number
    amountMinor: schemas["CbdcAmount"]
    referenceDigest?: schemas["CbdcReferenceDigest"]
    expires: string
    since: string
    endedAt?: string
    /** A transfer each, all from one account */
    legs: {
      account: number
      amountMinor: schemas["CbdcAmount"]
      /** Absent: the payee, who gets the rest */
      share?: {
        numerator: number
        denominator: number
      }
      /** The entry that paid it, for payer and payee */
      entry?: number
    }[]
  }
  InterbankPaymentId: string
  /** 9 before 0 */
  InterbankPriority: number
  /** A signed transfer in base64url */
  InterbankRecord: string
  InterbankPayment: {
    id: schemas["InterbankPaymentId"]
    currency: number
    payer: number
    payee: number
    amountMinor: schemas["CbdcAmount"]
    priority: schemas["InterbankPriority"]
    nonce: number
    state: "queued" | "settled" | "cancelled" | "ended"
    validUntil: string
    since: string
    /** Why it waits or has ended, as the code of a refusal */
    reason?: string
    endedAt?: string
    entry?: number
  }
  InterbankPayments: {
    items: schemas["InterbankPayment"][]
    next?: string
  }
  NettingWindow: {
    id: string
    currency: number
    /** The account that funds are reserved for */
    clearing: number
    state: "open" | "resolved"
    openedAt: string
    closesAt: string
    /** Reservations stand until then at least */
    fundsUntil: string
    resolvedAt?: string
    /** How many */
    obligations: number
  }
  NettingObligation: {
    id: string
    payer: number
    payee: number
    amountMinor: schemas["CbdcAmount"]
    priority: schemas["InterbankPriority"]
    reference?: string
    state: "open" | "settled" | "left"
  }
  NettingView: {
    id: string
    currency: number
    /** The account that funds are reserved for */
    clearing: number
    state: "open" | "resolved"
    openedAt: string
    closesAt: string
    /** Reservations stand until then at least */
    fundsUntil: string
    resolvedAt?: string
    /** How many */
    obligations: number
    capMinor?: schemas["CbdcAmount"]
    /** What the institution was paid, or as a negative number paid */
    netMinor?: string
    items: schemas["NettingObligation"][]
  }
  NettingResolution: {
    id: string
    currency: number
    /** The account that funds are reserved for */
    clearing: number
    state: "open" | "resolved"
    openedAt: string
    closesAt: string
    /** Reservations stand until then at least */
    fundsUntil: string
    resolvedAt?: string
    /** How many */
    obligations: number
    /** Obligations that were discharged */
    settled: number
    left: number
    /** The sum of what was discharged */
    settledMinor: string
    movedMinor: schemas["CbdcAmount"]
  }
  CoinActState: "sent" | "done" | "failed"
  CoinAct: {
    /** Id under which it stands in the log; of an order also its id on the chain */
    act: string
    currency: number
    kind: "mint" | "attest" | "freeze" | "unfreeze" | "force" | "limits"
    amountMinor: schemas["CbdcAmount"]
    state: schemas["CoinActState"]
    /** Of what failed, the error of the contract */
    reason: string | null
    since: string
    changed: string
  }
  CoinRedemptionState: "requested" | "received" | "burnt" | "paid" | "failed"
  CoinRedemption: {
    redemption: string
    currency: number
    amountMinor: schemas["CbdcAmount"]
    state: schemas["CoinRedemptionState"]
    reason: string | null
    since: string
    changed: string
  }
  CoinAllowance: {
    limitMinor: schemas["CbdcAmount"]
    leftMinor: schemas["CbdcAmount"]
  }
  CoinStanding: {
    currency: number
    /** What this agency is to the token */
    role: "issuer" | "attestor"
    code?: string
    decimals?: number
    /** Of the token */
    address: string
    /** The issuer's account on the chain, which redeemed tokens go to */
    issuer: string
    attestor: string
    supplyMinor: schemas["CbdcAmount"]
    lockedMinor: schemas["CbdcAmount"]
    reserve: {
      amountMinor: schemas["CbdcAmount"]
      /** Whether there are no more tokens than that */
      isCovering: boolean
      asOf: string
      validUntil: string
      isValid: boolean
    } | null
    minting: schemas["CoinAllowance"]
    burning: schemas["CoinAllowance"]
    paused: boolean
    licence?: {
      issuer: string
      number: string
      inForce: boolean
    } | null
  }
  /** In minor units */
  CbdcAmountStated: string
  /** In minor units */
  CbdcAmountPositive: string
  /** In minor units; null is no limit */
  CbdcLimit: string | null
  /** Who made the order, and the number they gave it; each is executed once however it is spelt */
  CbdcOrderName: {
    authority: string
    reference: string
  }
  /** Limits of a KYC level; all accounts of a person count together */
  CbdcTier: {
    level: number
    perPaymentMinor: schemas["CbdcLimit"]
    perDayMinor: schemas["CbdcLimit"]
    holdingMinor: schemas["CbdcLimit"]
  }
  CbdcPolicyBody: {
    tiers: schemas["CbdcTier"][]
    merchantsKeepMinor: schemas["CbdcAmountStated"]
    keyOrderDelaySeconds: number
    reservationMostSeconds: number
    interest: null | schemas["CbdcInterestTerms"]
    dormancy: null | schemas["CbdcDormancyTerms"]
    offline?: null | schemas["CbdcOfflineTerms"]
  }
  CbdcInterestTerms: {
    /** A year's rate in hundredths of a per cent */
    basisPoints: number
    dayCount: "ACT/365F" | "ACT/360" | "ACT/ACT"
    exemptMinor: schemas["CbdcAmountStated"]
  }
  CbdcDormancyTerms: {
    dormantAfterDays: number
    escheatAfterDays: number
  }
  /** How purses pay offline; without it they do not */
  CbdcOfflineTerms: {
    capMinor: schemas["CbdcAmountPositive"]
    certificateSeconds: number
    /** For how long after a certificate its vouchers are entered */
    graceSeconds: number
    /** Of one certificate */
    vouchersMost: number
  }
  CbdcPolicy: {
    version: number
    validFrom: string
    tiers: schemas["CbdcTier"][]
    merchantsKeepMinor: schemas["CbdcAmountStated"]
    keyOrderDelaySeconds: number
    reservationMostSeconds: number
    interest: null | schemas["CbdcInterestTerms"]
    dormancy: null | schemas["CbdcDormancyTerms"]
    offline?: null | schemas["CbdcOfflineTerms"]
  }
  CbdcPolicySet: {
    currency: number
    version: number
    validFrom: string
    tiers: schemas["CbdcTier"][]
    merchantsKeepMinor: schemas["CbdcAmountStated"]
    keyOrderDelaySeconds: number
    reservationMostSeconds: number
    interest: null | schemas["CbdcInterestTerms"]
    dormancy: null | schemas["CbdcDormancyTerms"]
    offline?: null | schemas["CbdcOfflineTerms"]
  }
  CbdcPolicies: {
    currency: number
    code: string
    policy: schemas["CbdcPolicy"]
    coming: schemas["CbdcPolicy"][]
  }
  CbdcCurrency: {
    currency: number
    code: string
    decimals: number
    home: "ledger" | "chain"
    accounts: schemas["CbdcOwnAccounts"]
    openedAt: string
  }
  CbdcOwnAccounts: {
    issuance: number
    fees: number
    rail: number
    suspense: number
    interest: number
    treasury?: number
  }
  CbdcCurrencies: {
    items: schemas["CbdcCurrency"][]
  }
  CbdcParticipant: {
    did: string
    currency: number
    account: number
    name: string
    issuanceLimitMinor?: schemas["CbdcAmountStated"]
    admittedAt: string
    endedAt?: string
  }
  CbdcParticipants: {
    items: schemas["CbdcParticipant"][]
  }
  CbdcOrdered: {
    /** Id under which the act stands in the entries and in the log */
    order: string
    kind: string
    account: number
    amountMinor: schemas["CbdcAmountStated"]
    entry: number
    at: string
    redemption?: string
  }
  CbdcRedemption: {
    id: string
    did: string
    currency: number
    account: number
    amountMinor: schemas["CbdcAmountStated"]
    reference: string
    state: "requested" | "executed" | "refused" | "withdrawn"
    requestedAt: string
    endedAt?: string
    entry?: number
    reason?: string
  }
  CbdcPurseCertificate: {
    account: number
    certificateId: string
    capMinor: string
    /** Of the first voucher; the others follow without a gap */
    nonce: number
    vouchersMost: number
    /** From then on no payee takes its vouchers */
    expires: string
    /** Until then the ledger enters them; every voucher is valid until exactly this time */
    validUntil: string
    /** The ledger's statement, a JWS of type `purse-certificate+jwt` */
    certificate: string
  }
  CbdcPurse: {
    account: number
    certificateId: string
    capMinor: string
    nonce: number
    vouchersMost: number
    expires: string
    validUntil: string
    /** The purse pays by vouchers alone */
    offline: boolean
    /** What was entered of the certificate */
    spentMinor: string
    /** Nonces of the certificate that are gone */
    used: number
    /** Vouchers that came in and wait */
    waiting: number
    certificate?: string
  }
  /** The 93 bytes of a transfer in base64url */
  CbdcVoucherRecord: string
  CbdcVoucherOutcome: {
    /** The purse */
    account: number
    nonce: number
    payee: number
    amountMinor: string
    outcome: "entered" | "waiting" | "refused"
    /** Under which the transfer and its receipt are found */
    id?: string
    entry?: number
    /** Why it waits: `voucher_gap` when earlier vouchers have not come in, else the code of a refusal */
    reason?: string
    code?: string
    detail?: string
    /** What proves the misuse to anybody, a JWS of type `purse-evidence+jwt`; given with at most 32 vouchers of a request */
    evidence?: string
  }
  CbdcDoubleSpends: {
    items: schemas["CbdcDoubleSpend"][]
    next?: string
  }
  CbdcDoubleSpend: {
    id: string
    kind: "double_spent" | "overspent"
    /** The purse */
    account: number
    /** The first account of the person */
    lead: number
    nonce: number
    /** Who was not paid */
    payee: number
    amountMinor: string
    records: schemas["CbdcVoucherRecord"][]
    /** The journal record of the act that found it */
    act: string
    foundAt: string
    evidence: string
  }
  CbdcRedemptions: {
    items: schemas["CbdcRedemption"][]
    next?: string
  }
  CbdcInterest: {
    currency: number
    day: string
    complete: boolean
    /** The last account that was looked at */
    through: number
    /** With interest in this act */
    accounts: number
    /** Whose interest could not be entered */
    passedOver: number
    interestMinor: schemas["LedgerBalance"]
  }
  CbdcKey: {
    scheme: number
    prefix: number
    x: string
  }
  CbdcKeyOrder: {
    order: string
    account: number
    key: schemas["CbdcKey"]
    state: "waiting" | "executed" | "objected" | "overtaken"
    since: string
    dueAt: string
    endedAt?: string
    entry?: number
  }
  CbdcKeyOrders: {
    items: schemas["CbdcKeyOrder"][]
  }
  CbdcLevel: {
    account: number
    level: number
    attestedUntil: string
  }
  /** The place of the institution's own attestation in its status lists, and until when it is valid */
  CbdcAttestation: {
    list: number
    index: number
    until: string
  }
  CbdcScreening: {
    list: string
    at: string
    result: "no-match" | "false-positive" | "true-match"
  }
  /** Of the officers' choosing */
  CbdcProgrammeName: string
  CbdcPayees: {
    credentialType: "BusinessLicence" | "ProfessionalLicence"
    /** Without any the type alone qualifies. `licence-class:retail`, `profession:pharmacist`, or digits of a classification, of which a shorter code stands for all below it: `NACE-2.1:47`, `ISIC-5:4711`, `ISCO-08:2262`. */
    classes: string[]
  }
  CbdcProgramme: {
    programme: string
    currency: number
    title: string
    legalBasis: string
    sponsor: number
    payees: schemas["CbdcPayees"][]
    /** The most that is granted to one person, in minor units */
    perBeneficiaryMinor?: string
    openedAt: string
    endsAt: string
    /** It was ended before its time */
    closedAt?: string
    state: "open" | "ended"
  }
  /** Credits less debits in minor units */
  CbdcBalance: string
  /** In minor units */
  CbdcAmount: string
  CbdcAccount: {
    account: number
    currency: number
    class: string
    level: number
    balanceMinor: schemas["CbdcBalance"]
    availableMinor: schemas["CbdcAmount"]
    pendingDebitMinor: schemas["CbdcAmount"]
    pendingCreditMinor: schemas["CbdcAmount"]
    frozenMinor: schemas["CbdcAmount"]
    /** The account as a whole */
    frozen: boolean
    closed: boolean
    nonce: number
    /** 0: none */
    linked: number
    key: {
      scheme: number
      prefix: number
      x: string
    }
    /** Reserve account of the institution that serves it; 0 is the central bank */
    servicer: number
    openedAt: string
    lastActive: string
  }
  CbdcEntry: {
    entry: number
    id?: string
    batch: number
    at: string
    kind: string
    side: "debit" | "credit" | "alone"
    counterparty: number | null
    amountMinor: string | null
    feeMinor?: schemas["CbdcAmount"]
    /** Of a post under a hash lock, in hex */
    preimage?: string
    balanceMinor: schemas["CbdcBalance"]
    refunds?: schemas["CbdcRefunds"]
    refundedMinor?: schemas["CbdcRefunded"]
  }
  CbdcInstruction: {
    instruction: number
    /** The entry that laid it down */
    entry: number
    to: number
    currency: number
    amountMinor: schemas["CbdcAmount"]
    first: string
    unit: "once" | "day" | "week" | "month"
    every: number
    /** 0: until it is revoked */
    times: number
    state: "standing" | "completed" | "revoked" | "closed"
    paid: number
    missed: number
    nextDue: string | null
    /** Why the instalment that is due could not be paid so far, and when it is tried again */
    waiting?: {
      why: string
      triedAt: string
    }
    lastMissed?: {
      due: string
      why: string
    }
  }
  CbdcTransfer: {
    id: string | null
    entry: number
    batch: number
    at: string
    kind: string
    debit: number
    credit: number | null
    currency: number | null
    amountMinor: string | null
    /** The entry's bytes in base64url */
    record: string
    debitBalanceMinor?: schemas["CbdcBalance"]
    creditBalanceMinor?: schemas["CbdcBalance"]
    refunds?: schemas["CbdcRefunds"]
    refundedMinor?: schemas["CbdcRefunded"]
  }
  CbdcReservation: {
    reservation: number
    from: number
    to: number
    currency: number
    /** 0: none */
    arbiter: number
    amountMinor: schemas["CbdcAmount"]
    remainingMinor: schemas["CbdcAmount"]
    postedMinor: schemas["CbdcAmount"]
    expiry: string
    /** SHA-256 in hex; zeros: none */
    lockHash: string
    state: "pending" | "posted" | "voided" | "expired"
    entry: number
    endedBy: number | null
    /** What it was paid by under its hash, in hex */
    preimage?: string
  }
  CbdcDisclosure: {
    account: number
    currency: number
    class: string
    level: number
    servicer: {
      did: string
      name: string
    } | null
    openedAt: string
    closed: boolean
    from: string
    until: string
    /** Null of accounts that take fees, whose credits are no entries */
    openingMinor: string | null
    closingMinor: string | null
    items: schemas["CbdcEntry"][]
    next?: string
  }
  Passphrase: string
  HandleAndPassphrase: {
    handle: string
    passphrase: schemas["Passphrase"]
  }
  /** For the citizen, or for a minor in their care */
  HeldFor: "self" | "minor"
  HeldId: string
  HeldSummary: {
    id: string
    credentialId?: string
    type: string
    issuer: string
    format: string
    /** The did:key or did:jwk it is bound to */
    holder: string
    /** Nobody here has accredited its issuer */
    trust?: "unaccredited"
    heldFor: schemas["HeldFor"]
    validUntil?: string
    receivedAt: string
    [member: string]: unknown
  }
  WalletGrant: "pre-authorized" | "authorization-code"
  /** Ids of credential configurations, as the issuer's metadata have them */
  WalletConfigurationIds: string[]
  WalletNames: {
    name: string
    locale?: string
    [member: string]: unknown
  }[]
  WalletOffer: ({
    id: string
    state: "offered" | "authorizing" | "collecting" | "deferred" | "received" | "collected" | "failed"
    created: string
    expires: string
    issuer: {
      /** The credential issuer's identifier */
      id: string
      display: schemas["WalletNames"]
      /** Who has signed the issuer's metadata */
      signedBy?: string
      [member: string]: unknown
    }
    offered: {
      configurationId: string
      format: string
      vct?: string
      doctype?: string
      types?: string[]
      display: schemas["WalletNames"]
      claims: string[]
      /** Why this wallet cannot collect it */
      refusal?: string
      [member: string]: unknown
    }[]
    grants: {
      grant: schemas["WalletGrant"]
      authorizationServer: string
      [member: string]: unknown
    }[]
    /** What transaction code the issuer asks for */
    txCode?: {
      inputMode: "numeric" | "text"
      length?: number
      description?: string
      /** Codes that the issuer has not taken */
      tries: number
      [member: string]: unknown
    }
    /** What the citizen opens in a browser */
    authorizationUrl?: string
    collected: (({
      configurationId: string
      /** given: it has come and could not be judged yet; received: it was judged and waits to be kept */
      state: "wanted" | "deferred" | "given" | "received" | "kept" | "refused"
      heldIds: string[]
      /** Of what has come and is not kept yet */
      claims?: Record<string, unknown>[]
      retryAt?: string
      /** Whether the issuer has heard what became of it */
      issuerTold?: boolean
      /** The code of the refusal */
      problem?: string
      [member: string]: unknown
    })[])
    renewable: boolean
    /** Credentials that were collected before the renewal */
    replaces?: string[]
    [member: string]: unknown
  })
  WalletDisclosure: ({
    id: string
    heldId: string
    type: string
    issuer: string
    audience: string
    challenge: string
    shown: string[]
    at: string
    onBehalfOf?: {
      principal: string
      operation: string
      mandate: string
      [member: string]: unknown
    }
    verifier?: schemas["WalletAskingClient"]
    /** What was signed for with the presentation */
    transactions?: Record<string, unknown>[]
    /** Of a record signed for a ledger (type LedgerRecord, whose audience is the ledger and whose heldId is the ledger key), what it says, as in the typed data */
    signed?: {
      kind: string
      members: Record<string, string | number>
      [member: string]: unknown
    }
    [member: string]: unknown
  })
  /** Who asks, and how that is known; address means by nothing but where the answer goes */
  WalletAskingClient: {
    id: string
    name: string
    assurance: "certificate" | "did" | "attestation" | "federation" | "registration" | "address" | "origin"
    vouchedBy?: string
    [member: string]: unknown
  }
  WalletPresentationRequest: ({
    id: string
    state: "reading" | "open" | "sending" | "answered" | "failed" | "refused"
    expires: string
    client: schemas["WalletAskingClient"]
    mode: "direct_post" | "direct_post.jwt" | "dc_api" | "dc_api.jwt"
    origin?: string
    /** What is to be signed for with the presentation (OpenID4VP 1.0, section 8.4) */
    transactions: {
      type: string
      credentialIds: string[]
      content: Record<string, unknown>
      [member: string]: unknown
    }[]
    /** Whether the wallet has all that is required */
    satisfiable: boolean
    queries: ((({
      id: string
      format: string
      multiple: boolean
      candidates: ((({
        heldId: string
        type: string
        issuer: string
        /** What was asked for, with its values */
        claims: ((({
          path: ((string | number | null)[])
          values: unknown[]
          /** Whether the verifier says that it will keep it */
          retained?: boolean
          [member: string]: unknown
        }))[])
        /** All claims that the verifier will see */
        shown: string[]
        [member: string]: unknown
      }))[])
      [member: string]: unknown
    }))[])
    /** What belongs together, by the ids of queries; of the options those that the wallet can meet */
    wanted: {
      required: boolean
      options: string[][]
      [member: string]: unknown
    }[]
    /** Of all that is shown; the consent names it */
    digest: string
    [member: string]: unknown
  })
  WalletPresentationAnswer: {
    id: string
    state: "answered" | "refused"
    disclosures: string[]
    /** Where the verifier sends the citizen next */
    redirectUri?: string
    /** Of a refusal, whether the verifier heard of it */
    told?: boolean
    /** Of a request over the Digital Credentials API, what the page is given */
    data?: Record<string, unknown>
    [member: string]: unknown
  }
  /** The ledger, by the contract that its signatures are for (CAIP-10) */
  WalletLedger: string
  WalletLedgerKey: {
    id: string
    ledger: string
    label: string
    jwk: Record<string, unknown>
    /** 2 is P-256 */
    scheme: 2
    prefix: 2 | 3
    /** Hex, without 0x */
    x: string
    [member: string]: unknown
  }
  /** The domain of the ledger's typed data (EIP-712) */
  WalletLedgerDomain: {
    name: string
    version: string
    chainId: number
    verifyingContract: string
  }
  WalletLedgerNumber: number
  WalletLedgerShort: number
  /** Minor units, at most 2^63 - 1 */
  WalletLedgerAmount: string
  WalletLedgerWord: string
  WalletLedgerEntry: ({
    kind: "transfer"
    from: schemas["WalletLedgerNumber"]
    to: schemas["WalletLedgerNumber"]
    currency: schemas["WalletLedgerShort"]
    amount: schemas["WalletLedgerAmount"]
    fee: schemas["WalletLedgerShort"]
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  } | {
    kind: "reserve"
    from: schemas["WalletLedgerNumber"]
    to: schemas["WalletLedgerNumber"]
    currency: schemas["WalletLedgerShort"]
    amount: schemas["WalletLedgerAmount"]
    fee: schemas["WalletLedgerShort"]
    expiry: schemas["WalletLedgerNumber"]
    lockHash: schemas["WalletLedgerWord"]
    arbiter: schemas["WalletLedgerNumber"]
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  } | {
    kind: "post"
    reservation: schemas["WalletLedgerNumber"]
    amount: schemas["WalletLedgerAmount"]
    remaining: schemas["WalletLedgerAmount"]
    last: 0 | 1
    by: schemas["WalletLedgerNumber"]
    preimage?: schemas["WalletLedgerWord"]
  } | {
    kind: "void"
    reservation: schemas["WalletLedgerNumber"]
    by: schemas["WalletLedgerNumber"]
  } | {
    kind: "withdraw"
    from: schemas["WalletLedgerNumber"]
    to: schemas["WalletLedgerNumber"]
    currency: schemas["WalletLedgerShort"]
    amount: schemas["WalletLedgerAmount"]
    fee: schemas["WalletLedgerShort"]
    recipient: string
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  } | {
    kind: "link"
    account: schemas["WalletLedgerNumber"]
    linked: schemas["WalletLedgerNumber"]
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  } | {
    kind: "keyChange"
    account: schemas["WalletLedgerNumber"]
    scheme: 1 | 2
    prefix: 2 | 3
    x: schemas["WalletLedgerWord"]
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  } | {
    kind: "instruct"
    account: schemas["WalletLedgerNumber"]
    to: schemas["WalletLedgerNumber"]
    currency: schemas["WalletLedgerShort"]
    amount: schemas["WalletLedgerAmount"]
    first: schemas["WalletLedgerNumber"]
    unit: 0 | 1 | 2 | 3
    every: schemas["WalletLedgerShort"]
    times: schemas["WalletLedgerShort"]
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  } | {
    kind: "revoke"
    account: schemas["WalletLedgerNumber"]
    instruction: schemas["WalletLedgerNumber"]
    nonce: schemas["WalletLedgerNumber"]
    validUntil: schemas["WalletLedgerNumber"]
  }) & ({
    kind: "transfer" | "reserve" | "post" | "void" | "withdraw" | "link" | "keyChange" | "instruct" | "revoke"
    [member: string]: unknown
  })
  WalletExport: {
    format: "chancery-wallet-export"
    version: 1
    kdf: {
      name: "argon2id"
      salt: string
      memoryKib: number
      passes: number
      parallelism: number
    }
    cipher: "A256GCM"
    sealed: string
  }
}

export type Operations = {
  /** Issues a credential to a holder. `POST /credentials/issue` */
  issueCredential: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: schemas["IssueBody"]
  }, { status: 201; headers: Headers; body: {
      verifiableCredential: schemas["Secured"]
      credentialId: string
      [member: string]: unknown
    } }>
  /** Issues many credentials, one issue body a line, answered in order. `POST /credentials/issue-batch` */
  issueCredentialBatch: Operation<{
    body: Lines<schemas["IssueBody"]>
  }, { status: 200; headers: Headers; body: AsyncIterable<unknown> }>
  /** Judges a credential of any format. `POST /credentials/verify` */
  verifyCredential: Operation<{
    body: schemas["VerifyBody"]
  }, { status: 200; headers: Headers; body: schemas["Verdict"] }>
  /** Judges many credentials, one verify body a line, answered in order. `POST /credentials/verify-batch` */
  verifyCredentialBatch: Operation<{
    body: Lines<schemas["VerifyBody"]>
  }, { status: 200; headers: Headers; body: AsyncIterable<unknown> }>
  /** Revokes, suspends or reinstates one credential or up to 1,000. `POST /credentials/status` */
  updateCredentialStatus: Operation<{
    query?: { wait?: "mined" }
    headers?: { "Idempotency-Key"?: string }
    body: {
      credentialId?: schemas["CredentialId"]
      credentialIds?: schemas["CredentialId"][]
      credentialStatus: {
        type?: string
        statusPurpose: string
        status?: schemas["Flag"]
      }
      status?: schemas["Flag"]
      reason?: string
    }
  }, { status: 202; headers: Headers; body: {
      id: string
      state: schemas["OutboxState"]
      url: string
      changed: number
      [member: string]: unknown
    } }>
  /** How far a status change has come on the chain. `GET /credentials/status/{change}` */
  followStatusChange: Operation<{
    params: { change: string }
  }, { status: 200; headers: Headers; body: {
      id: string
      state: schemas["OutboxState"]
      url: string
      block?: schemas["Block"]
      [member: string]: unknown
    } }>
  /** Issued credentials, a page at a time, oldest first. `GET /credentials` */
  listCredentials: Operation<{
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["CredentialSummary"][]
      next?: string
      [member: string]: unknown
    } }>
  /** One issued credential with its status. `GET /credentials/{id}` */
  getCredential: Operation<{
    params: { id: schemas["CredentialId"] }
  }, { status: 200; headers: Headers; body: schemas["CredentialSummary"] & {
      verifiableCredential: schemas["Secured"]
      [member: string]: unknown
    } }>
  /** Issues anew (lost device, renewal, correction) and revokes the old credential in one act. `POST /credentials/{id}/reissue` */
  reissueCredential: Operation<{
    params: { id: schemas["CredentialId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      credential: schemas["UnsecuredCredential"]
      options?: schemas["IssueOptions"]
      reason: string
    }
  }, { status: 201; headers: Headers; body: {
      verifiableCredential: schemas["Secured"]
      credentialId: string
      replaces: string
      statusChange: string
      [member: string]: unknown
    } }>
  /** A nonce for a holder to answer, once, within ten minutes. `POST /challenges` */
  createChallenge: Operation<{}, { status: 201; headers: Headers; body: {
      challenge: string
      domain: string
      expires: string
      [member: string]: unknown
    } }>
  /** Judges a presentation and every credential inside it. `POST /presentations/verify` */
  verifyPresentation: Operation<{
    body: {
      verifiablePresentation: schemas["Secured"]
      options?: {
        challenge?: string
        domain?: string
        at?: string
        checks?: string[]
        /** What was judged stands in the answer */
        returnPresentation?: boolean
        returnProblemDetails?: boolean
        /** What was looked at, by the properties of VCALM 1.0 */
        returnResults?: boolean
      }
    }
  }, { status: 200; headers: Headers; body: schemas["Verdict"] }>
  /** The issuer instances of this agency, with suite, key and path. `GET /issuers` */
  listIssuers: Operation<{}, { status: 200; headers: Headers; body: {
      items: {
        name: string
        suite: string
        issuer: string
        verificationMethod: string
        url: string
        [member: string]: unknown
      }[]
      [member: string]: unknown
    } }>
  /** Issues a credential with the key and the suite of one instance. `POST /issuers/{issuer}/credentials/issue` */
  issueByInstance: Operation<{
    params: { issuer: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** A credential without proof */
      credential: Record<string, unknown>
      options?: {
        credentialId?: string
        mandatoryPointers?: schemas["JsonPointers"]
        /** What it has a status for; revocation and suspension where nothing is said */
        credentialStatus?: schemas["InstanceStatus"] | schemas["InstanceStatus"][]
        [member: string]: unknown
      }
    }
  }, { status: 201; headers: Headers; body: {
      verifiableCredential: schemas["Secured"]
      credentialId?: string
      [member: string]: unknown
    } }>
  /** Sets or clears a status of a credential in the lists of its instance. `POST /issuers/{issuer}/credentials/status` */
  updateInstanceStatus: Operation<{
    params: { issuer: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      credentialId: string
      credentialStatus: {
        id?: string
        type?: "BitstringStatusListEntry" | "BitstringStatusList"
        statusListIndex?: string
        statusListCredential?: string
        statusPurpose?: "revocation" | "suspension" | "refresh" | "message"
      }
      /** Whether it is set; of a message its status */
      status?: boolean | string
      indexAllocator?: string
    }
  }, { status: 200; headers: Headers; body: {
      credentialId: string
      statusPurpose: string
      status: boolean | string
      [member: string]: unknown
    } }>
  /** A Bitstring Status List of an instance, secured by the instance. `GET /issuers/{issuer}/status/{list}` */
  getInstanceStatusList: Operation<{
    params: { issuer: string; list: string }
  }, { status: 200; headers: Headers; body: Uint8Array | schemas["Secured"] }>
  /** Derives a credential that shows chosen parts of one with selective disclosure. `POST /credentials/derive` */
  deriveCredential: Operation<{
    body: {
      verifiableCredential: schemas["Secured"]
      options?: {
        selectivePointers?: schemas["JsonPointers"]
        [member: string]: unknown
      }
    }
  }, { status: 201; headers: Headers; body: {
      verifiableCredential: schemas["Secured"]
      [member: string]: unknown
    } }>
  /** Signs a presentation with the key of an instance, as its holder. `POST /presentations/create` */
  createPresentation: Operation<{
    body: {
      /** A presentation without proof */
      presentation: Record<string, unknown>
      options?: {
        /** Name of the instance; without it the first one */
        issuer?: string
        challenge?: string
        domain?: string
        [member: string]: unknown
      }
    }
  }, { status: 201; headers: Headers; body: {
      verifiablePresentation: schemas["Secured"]
      [member: string]: unknown
    } }>
  /** Creates a workflow, by whose steps exchanges go (VCALM 1.0). `POST /workflows` */
  createWorkflow: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: schemas["WorkflowConfiguration"]
  }, { status: 201; headers: Headers; body: schemas["WorkflowConfiguration"] }>
  /** The configuration of a workflow. `GET /workflows/{workflow}` */
  getWorkflow: Operation<{
    params: { workflow: string }
  }, { status: 200; headers: Headers; body: schemas["WorkflowConfiguration"] }>
  /** Begins an exchange, and gives its URL for one participant. `POST /workflows/{workflow}/exchanges` */
  createWorkflowExchange: Operation<{
    params: { workflow: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** What templates of the workflow name */
      variables?: Record<string, unknown>
      /** XML Schema dateTimeStamp */
      expires?: string
      /** Seconds */
      ttl?: number
    }
  }, { status: 201; headers: Headers; body: schemas["ExchangeState"] & {
      interactionUrl: string
      [member: string]: unknown
    } }>
  /** The state of an exchange, and what was presented in it. `GET /workflows/{workflow}/exchanges/{exchange}` */
  getWorkflowExchange: Operation<{
    params: { workflow: string; exchange: string }
  }, { status: 200; headers: Headers; body: schemas["ExchangeState"] }>
  /** A message of the participant; `{}` begins, or asks again what is asked for. `POST /workflows/{workflow}/exchanges/{exchange}` */
  participateInExchange: Operation<{
    params: { workflow: string; exchange: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      verifiablePresentation?: schemas["Secured"] | schemas["Secured"][]
      verifiablePresentationRequest?: Record<string, unknown>
      redirectUrl?: string
      referenceId?: string
    }
  }, { status: 200; headers: Headers; body: {
      verifiablePresentation?: Record<string, unknown>
      verifiablePresentationRequest?: schemas["ExchangeRequest"]
      redirectUrl?: string
    } }>
  /** What the exchange asks for now; nothing changes by it. `GET /workflows/{workflow}/exchanges/{exchange}/request` */
  getExchangeRequest: Operation<{
    params: { workflow: string; exchange: string }
  }, { status: 200; headers: Headers; body: {
      verifiablePresentationRequest: schemas["ExchangeRequest"] | Record<string, unknown>
    } }>
  /** The protocols by which the exchange can be gone through. `GET /workflows/{workflow}/exchanges/{exchange}/protocols` */
  getExchangeProtocols: Operation<{
    params: { workflow: string; exchange: string }
    query?: { iuv?: "1" }
  }, { status: 200; headers: Headers; body: schemas["ExchangeProtocols"] }>
  /** The interaction URL of an exchange as a QR code. `GET /workflows/{workflow}/exchanges/{exchange}/qr` */
  getExchangeQr: Operation<{
    params: { workflow: string; exchange: string }
    query?: { format?: "svg" | "png" }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** An interaction URL; JSON for wallets, a page for people. `GET /interactions/{exchange}` */
  getInteraction: Operation<{
    params: { exchange: string }
    query: { iuv: "1" }
  }, { status: 200; headers: Headers; body: schemas["ExchangeProtocols"] | string }>
  /** Credential issuer metadata (OpenID4VCI 1.0); also at the origin, as /.well-known/openid-credential-issuer/{agency}. `GET /.well-known/openid-credential-issuer` */
  getCredentialIssuerMetadata: Operation<{}, { status: 200; headers: Headers; body: schemas["Oid4vciIssuerMetadata"] | string }>
  /** Prepares credentials for the wallet of somebody, and makes the offer that their wallet takes up. `POST /credential-offers` */
  createCredentialOffer: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: schemas["Oid4vciOfferOrder"]
  }, { status: 201; headers: Headers; body: schemas["Oid4vciOfferMade"] }>
  /** How far an offer has come, and what was collected. `GET /credential-offers/{offer}` */
  getCredentialOffer: Operation<{
    params: { offer: string }
  }, { status: 200; headers: Headers; body: schemas["Oid4vciOfferState"] }>
  /** Ends an offer; its claims are erased, and its codes and tokens open nothing. `DELETE /credential-offers/{offer}` */
  withdrawCredentialOffer: Operation<{
    params: { offer: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 204; headers: Headers; body: undefined }>
  /** The offer by reference as a QR code, for a wallet on another device. `GET /credential-offers/{offer}/qr` */
  getCredentialOfferQr: Operation<{
    params: { offer: string }
    query?: { format?: "svg" | "png"; scheme?: "openid-credential-offer" | "haip-vci" }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** Releases or denies credentials that wait for an officer. `POST /credential-offers/{offer}/release` */
  releaseCredentialOffer: Operation<{
    params: { offer: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      decision: "release" | "deny"
    }
  }, { status: 200; headers: Headers; body: schemas["Oid4vciOfferState"] }>
  /** A credential offer, for whoever was told its address. `GET /openid4vci/offers/{secret}` */
  getOfferByReference: Operation<{
    params: { secret: string }
  }, { status: 200; headers: Headers; body: schemas["Oid4vciOffer"] }>
  /** A fresh c_nonce for proofs of keys (nonce endpoint). `POST /openid4vci/nonce` */
  createCredentialNonce: Operation<{}, { status: 200; headers: Headers; body: {
      c_nonce: string
    } }>
  /** Collects one or more credentials of a configuration (credential endpoint). `POST /openid4vci/credential` */
  requestCredential: Operation<{
    body: unknown | string
    contentType?: "application/json" | "application/jwt"
  }, { status: 200; headers: Headers; body: ({
      credentials: (({
        credential: string | Record<string, unknown>
      })[])
      notification_id?: string
    }) | string } | { status: 202; headers: Headers; body: {
      transaction_id: string
      interval: number
    } | string }>
  /** Collects credentials that had to be waited for (deferred credential endpoint). `POST /openid4vci/deferred-credential` */
  requestDeferredCredential: Operation<{
    body: unknown | string
    contentType?: "application/json" | "application/jwt"
  }, { status: 200; headers: Headers; body: ({
      credentials: (({
        credential: string | Record<string, unknown>
      })[])
      notification_id?: string
    }) | string } | { status: 202; headers: Headers; body: {
      transaction_id: string
      interval: number
    } | string }>
  /** A wallet tells what became of the credentials that it collected (notification endpoint). `POST /openid4vci/notification` */
  notifyIssuer: Operation<{
    body: unknown
  }, { status: 204; headers: Headers; body: undefined }>
  /** Authorization server metadata (RFC 8414); also at the origin, as /.well-known/oauth-authorization-server/{agency}. `GET /.well-known/oauth-authorization-server` */
  getAuthorizationServerMetadata: Operation<{}, { status: 200; headers: Headers; body: {
      issuer: string
      [member: string]: unknown
    } }>
  /** A wallet hands in its authorization request (RFC 9126). `POST /openid4vci/par` */
  pushAuthorizationRequest: Operation<{
    body: schemas["Oid4vciParameters"]
  }, { status: 201; headers: Headers; body: {
      request_uri: string
      expires_in: number
    } }>
  /** The citizen's browser at the authorization endpoint; says what is collected, asks who it is where that is needed. `GET /openid4vci/authorize` */
  authorize: Operation<{
    query?: { client_id?: string; request_uri?: string; response_code?: string }
  }, { status: 200; headers: Headers; body: string } | { status: 303; headers: Headers; body: undefined }>
  /** The citizen's word, from the page of the authorization endpoint. `POST /openid4vci/authorize` */
  decideAuthorization: Operation<{
    body: {
      request_uri: string
      token: string
      decision: "allow" | "deny"
    }
  }, { status: 303; headers: Headers; body: undefined }>
  /** An access token for a code, a pre-authorized code or a refresh token (token endpoint). `POST /openid4vci/token` */
  exchangeToken: Operation<{
    body: schemas["Oid4vciParameters"]
  }, { status: 200; headers: Headers; body: schemas["Oid4vciToken"] }>
  /** A challenge for the next proof of an attested wallet (attestation-based client authentication). `POST /openid4vci/challenge` */
  createAttestationChallenge: Operation<{}, { status: 200; headers: Headers; body: {
      attestation_challenge?: string
    } }>
  /** Asks any wallet for credentials (OpenID4VP 1.0). `POST /presentation-requests` */
  createPresentationRequest: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: ({
      /** One sentence for whoever looks it up */
      purpose: string
      /** OpenID4VP 1.0, section 6 */
      dcql_query?: Record<string, unknown>
      requirement?: schemas["Openid4vpRequirement"]
      client_id_prefix?: schemas["Openid4vpClientIdPrefix"]
      response_mode?: schemas["Openid4vpResponseMode"]
      /** By request_uri, or all of it in the link; a request under redirect_uri is not signed and goes by value */
      delivery?: "reference" | "value"
      /** How the wallet fetches it; post if nothing is said */
      request_uri_method?: "get" | "post"
      return_to?: schemas["Openid4vpReturnTo"]
      /** What the person authorises with the presentation (section 8.4); each with type and credential_ids */
      transaction_data?: {
        type: string
        credential_ids: string[]
        [member: string]: unknown
      }[]
      /** Attestations about this verifier (section 5.11) */
      verifier_info?: (({
        format: string
        data: string | Record<string, unknown>
        credential_ids?: string[]
      })[])
      /** Over the Digital Credentials API (appendix A): which pages ask, and under which names it is signed */
      digital_credentials?: ({
        origins: string[]
        /** None for an unsigned request, several for one that is signed under each of them */
        signatures?: (("x509_hash" | "x509_san_dns" | "decentralized_identifier" | "verifier_attestation")[])
        /** dc_api.jwt, which is the default, or dc_api */
        encrypted?: boolean
      })
      profile?: "haip"
      /** Seconds; 300 if nothing is said */
      expires_in?: number
    })
  }, { status: 201; headers: Headers; body: {
      id: string
      secret: string
      expires: string
      nonce: string
      client_id?: string
      /** openid4vp://… or haip-vp://…; a link or, as a QR code, for another device */
      wallet_url?: string
      request_uri?: string
      /** A member of the requests of navigator.credentials.get({ digital: { requests } }) */
      digital_request?: {
        protocol: string
        data: Record<string, unknown>
        [member: string]: unknown
      }
      [member: string]: unknown
    } }>
  /** How a presentation request of the staff stands. `GET /presentation-requests/{request}` */
  getPresentationRequest: Operation<{
    params: { request: string }
  }, { status: 200; headers: Headers; body: {
      id: string
      state: schemas["Openid4vpState"]
      purpose: string
      created: string
      expires: string
      dcql_query: Record<string, unknown>
      response_mode: string
      client_id?: string
      /** Of the wallet, or the code of the last answer that did not hold */
      error?: string
      [member: string]: unknown
    } }>
  /** What was presented; the reading is recorded. `POST /presentation-requests/{request}/result` */
  getPresentationResult: Operation<{
    params: { request: string }
    body?: {
      /** What the wallet brought back, on the same device */
      response_code?: string
    }
  }, { status: 200; headers: Headers; body: {
      id: string
      presentations: Record<string, {
        verified: true
        checks: Record<string, unknown>[]
        at: string
        format?: string
        issuer?: string
        holder?: string
        type?: string
        credentialId?: string
        claims?: Record<string, unknown>
        block?: Record<string, unknown>
        [member: string]: unknown
      }[]>
      [member: string]: unknown
    } }>
  /** How a presentation request stands, for whoever began it. `POST /presentation-requests/{request}/state` */
  pollPresentationRequest: Operation<{
    params: { request: string }
    body: {
      secret: string
      response_code?: string
    }
  }, { status: 200; headers: Headers; body: {
      state: schemas["Openid4vpState"]
      error?: string
      [member: string]: unknown
    } }>
  /** The link for the wallet as a QR code, for another device. `GET /presentation-requests/{request}/qr` */
  getPresentationRequestQr: Operation<{
    params: { request: string }
    query?: { format?: "svg" | "png" }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** Takes what the browser handed to the page that asked (Digital Credentials API). `POST /presentation-requests/{request}/digital-credential` */
  receiveDigitalCredential: Operation<{
    params: { request: string }
    body: {
      secret: string
      /** The member data of the DigitalCredential, as it is (response, or vp_token, or error) */
      data: Record<string, unknown>
    }
  }, { status: 200; headers: Headers; body: Record<string, unknown> }>
  /** The signed request object, once (request_uri). `GET /openid4vp/requests/{request}` */
  getRequestObject: Operation<{
    params: { request: string }
  }, { status: 200; headers: Headers; body: string }>
  /** The signed request object, once, for a wallet that tells what it can (request_uri_method post). `POST /openid4vp/requests/{request}` */
  postRequestObject: Operation<{
    params: { request: string }
    body?: {
      wallet_metadata?: string
      wallet_nonce?: string
      [member: string]: unknown
    }
  }, { status: 200; headers: Headers; body: string }>
  /** Takes the answer of a wallet (response_uri). `POST /openid4vp/responses/{request}` */
  receivePresentation: Operation<{
    params: { request: string }
    body: {
      /** direct_post.jwt: a compact JWE */
      response?: string
      vp_token?: string
      state?: string
      error?: string
      error_description?: string
      [member: string]: unknown
    }
  }, { status: 200; headers: Headers; body: {
      /** Where the wallet sends the person back to */
      redirect_uri?: string
    } }>
  /** A page that a wallet sends people back to; it shows the code that opens the answer to the browser that began. `GET /openid4vp/return` */
  showPresentationReturn: Operation<{
    query?: { request?: string; response_code?: string }
  }, { status: 200; headers: Headers; body: string }>
  /** W3C Bitstring Status List credential. `GET /status/bitstring/{list}` */
  getBitstringStatusList: Operation<{
    params: { list: string }
  }, { status: 200; headers: Headers; body: string | Uint8Array | schemas["Secured"] }>
  /** Where all Token Status Lists of this agency stand (Status List Aggregation). `GET /status/token` */
  getStatusListAggregation: Operation<{}, { status: 200; headers: Headers; body: {
      status_lists: string[]
      [member: string]: unknown
    } }>
  /** IETF Token Status List. `GET /status/token/{list}` */
  getTokenStatusList: Operation<{
    params: { list: string }
  }, { status: 200; headers: Headers; body: string | Uint8Array }>
  /** Raw bits, in gzip, of a status list of which the chain has the SHA-256; its newest version or the one before. `GET /status/raw/{list}/{version}` */
  getAnchoredStatusList: Operation<{
    params: { list: string; version: string }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** Credential types that are known here. `GET /types` */
  listTypes: Operation<{}, { status: 200; headers: Headers; body: {
      items: Record<string, unknown>[]
      [member: string]: unknown
    } }>
  /** SD-JWT VC type metadata. `GET /types/{slug}/{version}` */
  getTypeMetadata: Operation<{
    params: { slug: string; version: string }
  }, { status: 200; headers: Headers; body: Record<string, unknown> }>
  /** JSON Schema of the type's credentialSubject. `GET /types/{slug}/{version}/schema` */
  getTypeSchema: Operation<{
    params: { slug: string; version: string }
  }, { status: 200; headers: Headers; body: Record<string, unknown> }>
  /** JSON-LD context of the type. `GET /types/{slug}/{version}/context` */
  getTypeContext: Operation<{
    params: { slug: string; version: string }
  }, { status: 200; headers: Headers; body: Record<string, unknown> }>
  /** A JSON-LD context that credentials of every type name. `GET /contexts/{name}/{version}` */
  getContext: Operation<{
    params: { name: string; version: string }
  }, { status: 200; headers: Headers; body: Record<string, unknown> }>
  /** Name and verifier key of the agency's transparency log. `GET /log` */
  getLog: Operation<{}, { status: 200; headers: Headers; body: {
      origin: string
      verifierKey: string
      [member: string]: unknown
    } }>
  /** Signed checkpoint of the log (C2SP tlog-checkpoint). `GET /log/checkpoint` */
  getLogCheckpoint: Operation<{}, { status: 200; headers: Headers; body: string }>
  /** A tile or entry bundle of the log (C2SP tlog-tiles). `GET /log/tile/{tilePath}` */
  getLogTile: Operation<{
    params: { tilePath: string }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** That an entry stands in the log, under its latest checkpoint (C2SP tlog-proof). `GET /log/proof/{index}` */
  getLogProof: Operation<{
    params: { index: string }
  }, { status: 200; headers: Headers; body: schemas["LogProof"] }>
  /** The agency's did:web document. `GET /did.json` */
  getDidDocument: Operation<{}, { status: 200; headers: Headers; body: Record<string, unknown> }>
  /** A method of the Veramo agent, in the wire format of @veramo/remote-client. `POST /agent/{method}` */
  callAgent: Operation<{
    params: { method: string }
    body?: Record<string, unknown>
  }, { status: 200; headers: Headers; body: unknown }>
  /** Trust anchors of the agency, and the certificates of the keys that sign credentials, mdocs and requests. `GET /certificates` */
  getCertificates: Operation<{}, { status: 200; headers: Headers; body: schemas["Certificates"] | Uint8Array }>
  /** What the authority of the state is handed to certify a key of the agency (PKCS#10). `POST /certificates/requests` */
  requestCertificate: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      role: "issuer" | "documentSigner" | "verifier"
    }
  }, { status: 201; headers: Headers; body: {
      request: string
      [member: string]: unknown
    } }>
  /** JWT VC Issuer Metadata (SD-JWT VC); also at the origin, as /.well-known/jwt-vc-issuer/{agency}. `GET /.well-known/jwt-vc-issuer` */
  getJwtVcIssuer: Operation<{}, { status: 200; headers: Headers; body: {
      issuer: string
      jwks: {
        keys: Record<string, unknown>[]
        [member: string]: unknown
      }
      [member: string]: unknown
    } }>
  /** W3C DID Resolution over HTTP. `GET /1.0/identifiers/{didUrlRawPath}` */
  resolveDid: Operation<{
    params: { didUrlRawPath: string }
    query?: { versionId?: string; versionTime?: string; versionNumber?: string; expandRelativeUrls?: string; noCache?: string; verificationRelationship?: string; service?: string; serviceType?: string; relativeRef?: string }
  }, { status: 200; headers: Headers; body: Uint8Array | Record<string, unknown> } | { status: 303; headers: Headers; body: undefined }>
  /** W3C DID Resolution over HTTP, with options in the body. `POST /1.0/identifiers/{didUrlRawPath}` */
  resolveDidWithOptions: Operation<{
    params: { didUrlRawPath: string }
    query?: { versionId?: string; versionTime?: string; versionNumber?: string; expandRelativeUrls?: string; noCache?: string; verificationRelationship?: string; service?: string; serviceType?: string; relativeRef?: string }
    body?: schemas["DidOptions"] | string
    contentType?: "application/json" | "application/did-resolution" | "application/did-url-dereferencing"
  }, { status: 200; headers: Headers; body: Uint8Array | Record<string, unknown> } | { status: 303; headers: Headers; body: undefined }>
  /** The log of the agency's did:webvh. `GET /did.jsonl` */
  getDidLog: Operation<{}, { status: 200; headers: Headers; body: string }>
  /** Takes a message of anybody (DIDComm v2.1). `POST /didcomm` */
  receiveDidcommMessage: Operation<{
    body: schemas["DidcommEnvelope"]
    contentType?: "application/didcomm-encrypted+json" | "application/didcomm-signed+json"
  }, { status: 200; headers: Headers; body: schemas["DidcommEnvelope"] } | { status: 202; headers: Headers; body: undefined }>
  /** Prepares a credential that somebody's agent collects (Issue Credential 3.0). `POST /didcomm/offers` */
  createDidcommOffer: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      type: string
      version?: number
      /** ldp_vc if nothing is said and the type has it */
      format?: "ldp_vc" | "dc+sd-jwt" | "vc+jwt" | "jwt_vc"
      /** What it says, without the id of its holder */
      claims: Record<string, unknown>
      validUntil?: string
      to?: schemas["DidcommPeer"]
      dialect?: schemas["DidcommDialect"]
      /** An hour if nothing is said */
      expiresInSeconds?: number
    }
  }, { status: 201; headers: Headers; body: schemas["DidcommExchange"] }>
  /** How far an offer has come. `GET /didcomm/offers/{exchange}` */
  getDidcommOffer: Operation<{
    params: { exchange: string }
  }, { status: 200; headers: Headers; body: schemas["DidcommExchange"] }>
  /** Ends an offer; its claims are erased. `DELETE /didcomm/offers/{exchange}` */
  withdrawDidcommOffer: Operation<{
    params: { exchange: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 204; headers: Headers; body: undefined }>
  /** The invitation to an offer as a QR code. `GET /didcomm/offers/{exchange}/qr` */
  getDidcommOfferQr: Operation<{
    params: { exchange: string }
    query?: { format?: "svg" | "png" }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** Prepares a question that somebody's agent answers with credentials (Present Proof 3.0). `POST /didcomm/presentation-requests` */
  createDidcommPresentationRequest: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** OpenID4VP 1.0, section 6 */
      dcql: Record<string, unknown>
      /** One sentence for whoever answers */
      purpose: string
      to?: schemas["DidcommPeer"]
      dialect?: schemas["DidcommDialect"]
      /** An hour if nothing is said */
      expiresInSeconds?: number
    }
  }, { status: 201; headers: Headers; body: schemas["DidcommExchange"] }>
  /** Whether a question was answered, and what was shown. `GET /didcomm/presentation-requests/{exchange}` */
  getDidcommPresentationRequest: Operation<{
    params: { exchange: string }
  }, { status: 200; headers: Headers; body: schemas["DidcommExchange"] }>
  /** Ends a question. `DELETE /didcomm/presentation-requests/{exchange}` */
  withdrawDidcommPresentationRequest: Operation<{
    params: { exchange: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 204; headers: Headers; body: undefined }>
  /** The invitation to a question as a QR code. `GET /didcomm/presentation-requests/{exchange}/qr` */
  getDidcommPresentationRequestQr: Operation<{
    params: { exchange: string }
    query?: { format?: "svg" | "png" }
  }, { status: 200; headers: Headers; body: Uint8Array }>
  /** What the agency says of itself as an entity (OpenID Federation 1.0, section 9). `GET /.well-known/openid-federation` */
  getEntityConfiguration: Operation<{}, { status: 200; headers: Headers; body: string }>
  /** What the agency says of an entity below it (section 8.1). `GET /federation/fetch` */
  fetchSubordinateStatement: Operation<{
    query: { sub: schemas["FederationEntityId"] }
  }, { status: 200; headers: Headers; body: string }>
  /** Entities below the agency (section 8.2). `GET /federation/list` */
  listSubordinates: Operation<{
    query?: { entity_type?: string; trust_marked?: "true" | "false"; trust_mark_type?: string; intermediate?: "true" | "false" }
  }, { status: 200; headers: Headers; body: schemas["FederationEntityId"][] }>
  /** A trust chain from an entity to one of the agency's anchors, with resolved metadata (section 8.3). `GET /federation/resolve` */
  resolveEntity: Operation<{
    query: { sub: schemas["FederationEntityId"]; trust_anchor: schemas["FederationEntityId"]; entity_type?: string }
  }, { status: 200; headers: Headers; body: string }>
  /** Who has registered, under which terms. `GET /federation/subordinates` */
  listEntities: Operation<{
    query?: { state?: "pending" | "approved" | "refused" | "ended"; cursor?: string; limit?: number }
  }, { status: 200; headers: Headers; body: {
      entities: schemas["FederationRegistration"][]
      next?: string
    } }>
  /** An institution asks to stand below the agency, or brings its new federation keys. `POST /federation/subordinates` */
  registerEntity: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      entity: schemas["FederationEntityId"]
      jwks: schemas["FederationKeys"]
    }
  }, { status: 201; headers: Headers; body: schemas["FederationRegistration"] }>
  /** Lets an entity in under terms, turns it away, or ends its place. `POST /federation/subordinates/{id}/decision` */
  decideEntity: Operation<{
    params: { id: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      decision: "approve" | "refuse" | "end"
      terms?: schemas["FederationTerms"]
    }
  }, { status: 200; headers: Headers; body: schemas["FederationRegistration"] }>
  /** Gives a trust mark to an entity below the agency (section 7). `POST /federation/trust-marks` */
  issueTrustMark: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      entity: schemas["FederationEntityId"]
      type: string
      /** In a year where nothing is said */
      expires?: string
    }
  }, { status: 201; headers: Headers; body: {
      id: string
      entity: schemas["FederationEntityId"]
      type: string
      expires: string
      trustMark: string
    } }>
  /** Hands a trust mark out no longer; what was handed out counts until it expires. `DELETE /federation/trust-marks/{id}` */
  endTrustMark: Operation<{
    params: { id: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 200; headers: Headers; body: {
      id: string
      entity: schemas["FederationEntityId"]
      type: string
      ended: true
    } }>
  /** The trust mark of a type that the agency gave to an entity (section 8.6). `GET /federation/trust-mark` */
  getTrustMark: Operation<{
    query: { trust_mark_type: string; sub: schemas["FederationEntityId"] }
  }, { status: 200; headers: Headers; body: string }>
  /** Shows a trust mark that the agency was given in its Entity Configuration. `POST /federation/held-trust-marks` */
  holdTrustMark: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      trustMark: string
    }
  }, { status: 201; headers: Headers; body: {
      type: string
      issuer: string
      expires: string
    } }>
  /** Opens a citizen's account; the passphrase wraps a store key that nobody else can unwrap. `POST /wallet/citizens` */
  registerCitizen: Operation<{
    body: schemas["HandleAndPassphrase"]
  }, { status: 201; headers: Headers; body: {
      citizenId: string
      handle: string
      [member: string]: unknown
    } }>
  /** Signs a citizen in; an unknown handle is refused as a wrong passphrase is. `POST /wallet/sessions` */
  openSession: Operation<{
    body: schemas["HandleAndPassphrase"]
  }, { status: 201; headers: Headers; body: {
      token: string
      expires: string
      [member: string]: unknown
    } }>
  /** Signs out. `DELETE /wallet/sessions/current` */
  closeSession: Operation<{}, { status: 204; headers: Headers; body: undefined }>
  /** Changes the passphrase and ends every other session. `POST /wallet/passphrase` */
  changePassphrase: Operation<{
    body: {
      passphrase: schemas["Passphrase"]
      newPassphrase: schemas["Passphrase"]
    }
  }, { status: 204; headers: Headers; body: undefined }>
  /** A new key for one credential to come; its did:key is what the issuer binds the credential to. `POST /wallet/keys` */
  createHolderKey: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body?: {
      heldFor?: schemas["HeldFor"]
    }
  }, { status: 201; headers: Headers; body: {
      keyId: string
      did: string
      heldFor: schemas["HeldFor"]
      [member: string]: unknown
    } }>
  /** Proves a key to the agency that is to bind a credential to it (OpenID4VCI, proof type jwt). `POST /wallet/keys/{key}/proof` */
  proveHolderKey: Operation<{
    params: { key: string }
    body: {
      audience: string
      nonce: string
    }
  }, { status: 200; headers: Headers; body: {
      proof_type: "jwt"
      jwt: string
      [member: string]: unknown
    } }>
  /** The citizen's credentials, a page at a time, oldest first. `GET /wallet/credentials` */
  listHeld: Operation<{
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["HeldSummary"][]
      next?: string
      [member: string]: unknown
    } }>
  /** Takes a credential in, after verifying it and that it is bound to a key of this wallet. `POST /wallet/credentials` */
  receiveCredential: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      verifiableCredential: schemas["Secured"]
    }
  }, { status: 201; headers: Headers; body: schemas["HeldSummary"] }>
  /** One credential with its claims, and which of them can be kept back. `GET /wallet/credentials/{id}` */
  getHeld: Operation<{
    params: { id: schemas["HeldId"] }
  }, { status: 200; headers: Headers; body: schemas["HeldSummary"] & ({
      claims: Record<string, unknown>
      always: string[]
      choosable: string[]
      verifiableCredential: string | Record<string, unknown>
      [member: string]: unknown
    }) }>
  /** Deletes a credential, its key and the copies of presentations made with it. `DELETE /wallet/credentials/{id}` */
  deleteHeld: Operation<{
    params: { id: schemas["HeldId"] }
  }, { status: 204; headers: Headers; body: undefined }>
  /** Presents chosen claims to a named verifier, in answer to its challenge, and records it. `POST /wallet/credentials/{id}/present` */
  presentHeld: Operation<{
    params: { id: schemas["HeldId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** The verifier's https URL or DID */
      audience?: string
      challenge?: string
      /** Paths as getHeld names them, for example principal.familyName */
      claims?: string[]
      /** A guardian presents for a minor; a mandate in force must name both */
      onBehalfOf?: {
        /** The minor's DID */
        principal: string
        /** The operationId at the verifier */
        operation: string
      }
    }
  }, { status: 201; headers: Headers; body: {
      verifiablePresentation: string | Record<string, unknown>
      disclosureId: string
      shown: string[]
      [member: string]: unknown
    } }>
  /** Reads a verifier's request and shows who asks for what, and which credentials of the wallet answer. `POST /wallet/presentation-requests` */
  readPresentationRequest: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      link: string
    } | {
      /** Of the page that asks */
      origin: string
      protocol: "openid4vp-v1-unsigned" | "openid4vp-v1-signed" | "openid4vp-v1-multisigned"
      data: Record<string, unknown>
    }
  }, { status: 201; headers: Headers; body: schemas["WalletPresentationRequest"] }>
  /** A verifier's request as it was shown. `GET /wallet/presentation-requests/{request}` */
  reviewPresentationRequest: Operation<{
    params: { request: string }
  }, { status: 200; headers: Headers; body: schemas["WalletPresentationRequest"] }>
  /** Presents the chosen credentials to the verifier, as they were shown, and records it. `POST /wallet/presentation-requests/{request}/answer` */
  answerPresentationRequest: Operation<{
    params: { request: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      digest: string
      credentials: {
        query: string
        heldId: string
      }[]
    }
  }, { status: 200; headers: Headers; body: schemas["WalletPresentationAnswer"] }>
  /** Tells the verifier access_denied, and nothing else. `POST /wallet/presentation-requests/{request}/refuse` */
  refusePresentationRequest: Operation<{
    params: { request: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 200; headers: Headers; body: schemas["WalletPresentationAnswer"] }>
  /** What was shown to whom, a page at a time, oldest first. `GET /wallet/disclosures` */
  listDisclosures: Operation<{
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["WalletDisclosure"][]
      next?: string
      [member: string]: unknown
    } }>
  /** Offers and collections, a page at a time, oldest first. `GET /wallet/offers` */
  listOffers: Operation<{
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["WalletOffer"][]
      next?: string
      [member: string]: unknown
    } }>
  /** Takes in a credential offer, and shows what its issuer would give; nothing is asked for yet. `POST /wallet/offers` */
  readOffer: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** The link of a QR code: openid-credential-offer://, haip-vci:// or https, by value or by reference */
      offer: string
    } | {
      /** The credential issuer's identifier */
      issuer: string
      credentialConfigurationIds: schemas["WalletConfigurationIds"]
    }
  }, { status: 201; headers: Headers; body: schemas["WalletOffer"] }>
  /** How a collection stands. `GET /wallet/offers/{id}` */
  getOffer: Operation<{
    params: { id: string }
  }, { status: 200; headers: Headers; body: schemas["WalletOffer"] }>
  /** Drops an offer; what has come and was not kept is deleted, and the issuer is told so. `DELETE /wallet/offers/{id}` */
  declineOffer: Operation<{
    params: { id: string }
  }, { status: 204; headers: Headers; body: undefined }>
  /** Accepts an offer; the credentials come at once, or after the citizen has opened the authorizationUrl. `POST /wallet/offers/{id}/accept` */
  acceptOffer: Operation<{
    params: { id: string }
    headers?: { "Idempotency-Key"?: string }
    body?: {
      grant?: schemas["WalletGrant"]
      /** The transaction code that the issuer sent another way */
      txCode?: string
      credentialConfigurationIds?: schemas["WalletConfigurationIds"]
      /** Credentials of each kind that are asked for, each with a key of its own; as many as the issuer gives */
      copies?: number
      /** The credentials are shown first; collectOffer keeps them and declineOffer gives them back */
      review?: boolean
    }
  }, { status: 200; headers: Headers; body: schemas["WalletOffer"] }>
  /** Takes what the issuer's page sent the browser back with, and collects the credentials. `POST /wallet/offers/{id}/authorization` */
  continueOffer: Operation<{
    params: { id: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** The address that the browser came back to, or its query alone */
      response: string
    }
  }, { status: 200; headers: Headers; body: schemas["WalletOffer"] }>
  /** Asks again for what was deferred or could not be had, and keeps what has come. `POST /wallet/offers/{id}/collect` */
  collectOffer: Operation<{
    params: { id: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 200; headers: Headers; body: schemas["WalletOffer"] }>
  /** Collects the same credentials anew, by the refresh token that the issuer gave. `POST /wallet/offers/{id}/renew` */
  renewOffer: Operation<{
    params: { id: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 200; headers: Headers; body: schemas["WalletOffer"] }>
  /** Where an issuer's page sends the browser back to; shows what to give to the wallet. `GET /wallet/authorization-response` */
  showAuthorizationResponse: Operation<{}, { status: 200; headers: Headers; body: string }>
  /** The citizen's keys of accounts on ledgers, a page at a time, oldest first. `GET /wallet/ledger-keys` */
  listLedgerKeys: Operation<{
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["WalletLedgerKey"][]
      next?: string
      [member: string]: unknown
    } }>
  /** A new key for an account on a ledger; it signs records of that ledger only. `POST /wallet/ledger-keys` */
  createLedgerKey: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      ledger: schemas["WalletLedger"]
      label: string
    }
  }, { status: 201; headers: Headers; body: schemas["WalletLedgerKey"] }>
  /** Signs a record of a ledger; what was signed shows among the disclosures. `POST /wallet/ledger-signatures` */
  signLedgerRecord: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      keyId: schemas["HeldId"]
      domain: schemas["WalletLedgerDomain"]
      entry: schemas["WalletLedgerEntry"]
    }
  }, { status: 201; headers: Headers; body: {
      record: string
      digest: string
      disclosureId: string
      [member: string]: unknown
    } }>
  /** The wallet as one file, sealed under a passphrase of its own. `POST /wallet/export` */
  exportWallet: Operation<{
    body: {
      passphrase: schemas["Passphrase"]
      exportPassphrase: schemas["Passphrase"]
      credentials?: schemas["HeldId"][]
    }
  }, { status: 200; headers: Headers; body: schemas["WalletExport"] }>
  /** Adds an export to this wallet; every credential is verified again. `POST /wallet/import` */
  importWallet: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      export: schemas["WalletExport"]
      exportPassphrase: schemas["Passphrase"]
    }
  }, { status: 200; headers: Headers; body: {
      keys: number
      credentials: number
      disclosures: number
      leftOut: {
        code: string
        [member: string]: unknown
      }[]
      [member: string]: unknown
    } }>
  /** Evaluates the pseudonym function of a domain on blinded elements, with a proof (RFC 9497, POPRF, P256-SHA256). `POST /pseudonyms/evaluations` */
  evaluatePseudonyms: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      domain: schemas["PseudonymDomain"]
      blinded: schemas["PseudonymElement"][]
    }
  }, { status: 200; headers: Headers; body: {
      /** RFC 7638 thumbprint of the key */
      keyId: string
      evaluated: schemas["PseudonymElement"][]
      /** Base64url of two scalars */
      proof: string
    } }>
  /** The public register of who may sign for a company today, alone or jointly. `GET /mandates/companies/{company}/signatories` */
  getCompanySignatories: Operation<{
    params: { company: schemas["MandateCompanyNumber"] }
  }, { status: 200; headers: Headers; body: ({
      company: string
      legalName: string
      id?: string
      signatories: (({
        familyName: string
        givenName: string
        office: schemas["MandateOffice"]
        signs: "alone" | "jointly"
        jointly: schemas["MandateJointly"]
        since: string
        until: string
      })[])
    }) }>
  /** An officer enters, on the company's application, who may sign for it, alone or jointly. `POST /mandates/companies/{company}/signatories` */
  registerSignatories: Operation<{
    params: { company: schemas["MandateCompanyNumber"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
      legalName: string
      /** The company's DID */
      id?: string
      jurisdiction: string
      legalBasis: string
      /** SHA-256 (base64url) of the company's application */
      application: string
      signatories: {
        holder: schemas["MandateHolder"]
        familyName: string
        givenName: string
        office: schemas["MandateOffice"]
        operations: schemas["MandateOperations"]
        limits: schemas["MandateLimits"]
        jointly: schemas["MandateJointly"]
        mayDelegate: boolean
        startsOn: string
        endsOn: string
      }[]
    }
  }, { status: 201; headers: Headers; body: {
      company: string
      mandates: schemas["MandateGiven"][]
    } }>
  /** All mandates of a company, for officers and for the signatories that the register names. `GET /mandates` */
  listMandates: Operation<{
    query?: { company?: schemas["MandateCompanyNumber"]; limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      company: string
      items: schemas["MandateEntry"][]
      nextCursor?: string
    } }>
  /** A director, or several together, pass a narrower power on to somebody else. `POST /mandates` */
  issueSubMandate: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
      company: schemas["MandateCompanyNumber"]
      holder: schemas["MandateHolder"]
      familyName?: string
      givenName?: string
      office: schemas["MandateOffice"]
      operations: schemas["MandateOperations"]
      limits: schemas["MandateLimits"]
      jointly: schemas["MandateJointly"]
      mayDelegate: boolean
      startsOn: string
      endsOn: string
    }
  }, { status: 201; headers: Headers; body: schemas["MandateGiven"] }>
  /** Hands a mandate over to whoever proves the key it is bound to. `POST /mandates/{mandate}/collection` */
  collectMandate: Operation<{
    params: { mandate: string }
    body: {
      proof: {
        proof_type: "jwt"
        jwt: string
      }
    }
  }, { status: 200; headers: Headers; body: {
      mandateId: string
      credentialId: schemas["CredentialId"]
      verifiableCredential: schemas["Secured"]
    } }>
  /** Ends a mandate and every mandate that comes from it. `POST /mandates/{mandate}/end` */
  endMandate: Operation<{
    params: { mandate: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
      reason: string
    }
  }, { status: 200; headers: Headers; body: {
      mandateId: string
      credentialId: schemas["CredentialId"]
      /** Under which the change is followed on its way onto the chain */
      statusChange?: string
      endedAt: string
    } }>
  /** What an operation asks of its caller, and the same as a DCQL query for wallets. `GET /requirements/{operationId}` */
  getRequirement: Operation<{
    params: { operationId: string }
    query?: { register?: string }
  }, { status: 200; headers: Headers; body: {
      operationId: string
      requires: Record<string, unknown>
      /** OpenID4VP 1.0, section 6; a hint for wallets, where one holder asks. Issuers, joins and the age of a status stand in requires alone */
      dcql?: Record<string, unknown>
      /** Of a joint act, the query of each party by its name, whose wallet answers it alone */
      parties?: Record<string, {
        dcql: Record<string, unknown>
        [member: string]: unknown
      }>
      challengeUrl?: string
      sessionUrl?: string
      /** A second officer has to approve; acts wait here */
      pendingUrl?: string
      [member: string]: unknown
    } }>
  /** A challenge for a presentation that is made for one act. `POST /requirements/{operationId}/challenge` */
  createActChallenge: Operation<{
    params: { operationId: string }
    body: {
      bodySha256: schemas["Sha256"]
      /** The parameters of the path */
      params?: Record<string, string>
    }
  }, { status: 201; headers: Headers; body: {
      /** The nonce of the presentation */
      challenge: string
      /** The audience (aud) of the presentation */
      audience: string
      expires: string
      [member: string]: unknown
    } }>
  /** Asks any wallet for what an operation requires, for one act (OpenID4VP 1.0). `POST /requirements/{operationId}/presentation-request` */
  createActPresentationRequest: Operation<{
    params: { operationId: string }
    body: {
      bodySha256: schemas["Sha256"]
      /** The parameters of the path */
      params?: Record<string, string>
      /** Of a joint act, whose wallet it is */
      party?: string
      /** Of a joint act, what its other parties answer */
      challenge?: string
      credential_format?: schemas["Openid4vpFormat"]
      client_id_prefix?: schemas["Openid4vpClientIdPrefix"]
      response_mode?: schemas["Openid4vpResponseMode"]
      return_to?: schemas["Openid4vpReturnTo"]
    }
  }, { status: 201; headers: Headers; body: {
      /** Its QR code, where another device may answer, is at /presentation-requests/{id}/qr */
      id: string
      secret: string
      /** A link for the same device */
      wallet_url: string
      request_uri: string
      /** The audience (aud) of what is presented */
      client_id: string
      /** The nonce of what is presented */
      challenge?: string
      expires: string
      [member: string]: unknown
    } }>
  /** A challenge for opening a session with one key. `POST /sessions/challenge` */
  createSessionChallenge: Operation<{
    body: {
      dpop_jkt: schemas["Sha256"]
    }
  }, { status: 201; headers: Headers; body: {
      /** The nonce of the presentation */
      challenge: string
      /** The audience (aud) of the presentation */
      audience: string
      expires: string
      [member: string]: unknown
    } }>
  /** Asks any wallet for what an operation requires, to open a session (OpenID4VP 1.0). `POST /sessions/presentation-request` */
  createSessionPresentationRequest: Operation<{
    body: {
      dpop_jkt: schemas["Sha256"]
      requirement: schemas["Openid4vpRequirement"]
      client_id_prefix?: schemas["Openid4vpClientIdPrefix"]
      response_mode?: schemas["Openid4vpResponseMode"]
      return_to?: schemas["Openid4vpReturnTo"]
    }
  }, { status: 201; headers: Headers; body: {
      /** Its QR code, where another device may answer, is at /presentation-requests/{id}/qr */
      id: string
      secret: string
      /** A link for the same device */
      wallet_url: string
      request_uri: string
      /** The audience (aud) of what is presented */
      client_id: string
      /** The nonce of what is presented */
      challenge?: string
      expires: string
      [member: string]: unknown
    } }>
  /** Opens a session for what is presented, bound to the key of the DPoP header. `POST /sessions` */
  createSession: Operation<{
    headers?: { DPoP?: string }
    body: {
      presentation: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: {
      access_token: string
      token_type: "DPoP"
      /** Seconds */
      expires_in: number
      /** What was presented as well and does not count */
      refused?: {
        type?: string
        code: string
        [member: string]: unknown
      }[]
      [member: string]: unknown
    } }>
  /** Ends the session of this call. `DELETE /sessions/current` */
  endSession: Operation<{}, { status: 204; headers: Headers; body: undefined }>
  /** Acts that wait for a second officer, which the caller asked for or may decide on. `GET /pending-acts` */
  listPendingActs: Operation<{
    query?: { after?: string; limit?: number }
  }, { status: 200; headers: Headers; body: {
      acts: schemas["PendingAct"][]
      next?: string
      [member: string]: unknown
    } }>
  /** A pending act with everything that was asked for. `GET /pending-acts/{act}` */
  getPendingAct: Operation<{
    params: { act: string }
  }, { status: 200; headers: Headers; body: schemas["PendingAct"] }>
  /** Runs a pending act, by a second officer who meets the same requirement. `POST /pending-acts/{act}/approval` */
  approvePendingAct: Operation<{
    params: { act: string }
    body?: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: {
      id: string
      state: "approved"
      answer: {
        status: number
        body?: unknown
        [member: string]: unknown
      }
      [member: string]: unknown
    } }>
  /** Ends a pending act with a reason, by a second officer or its author. `POST /pending-acts/{act}/refusal` */
  refusePendingAct: Operation<{
    params: { act: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      reason: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: {
      id: string
      state: "refused"
      [member: string]: unknown
    } }>
  /** The caller's own wallet bindings, the newest first. `GET /wallet-bindings` */
  listWalletBindings: Operation<{}, { status: 200; headers: Headers; body: {
      items: schemas["WalletBindingView"][]
    } }>
  /** Signs that a wallet belongs to the caller's pseudonym in a domain, or hands that in for them. `POST /wallet-bindings` */
  bindWallet: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      wallet: schemas["WalletAddress"]
      domain: schemas["PseudonymDomain"]
      /** At most ten minutes ago */
      signedAt: string
      walletSignature: string
      replaces?: schemas["WalletAddress"]
      /** This agency hands the binding in and pays for it */
      relay?: boolean
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: {
      id: string
      /** What was signed (EIP-712) */
      typedData: Record<string, unknown>
      /** As WalletRegistry.bind takes it */
      signature: string
      call: {
        to: string
        data: string
      }
      relayed: boolean
      expires: string
      handInBefore: string
    } }>
  /** Ends a wallet binding of the caller's own, for good. `POST /wallet-bindings/{binding}/end` */
  endWalletBinding: Operation<{
    params: { binding: string }
    headers?: { "Idempotency-Key"?: string }
  }, { status: 202; headers: Headers; body: {
      id: string
      state: "ended"
      chain: schemas["OutboxState"]
    } }>
  /** Ends anybody's wallet binding, for good and for a reason. `POST /wallet-bindings/{binding}/revocation` */
  revokeWalletBinding: Operation<{
    params: { binding: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      reason: string
    }
  }, { status: 202; headers: Headers; body: {
      id: string
      state: "ended"
      chain: schemas["OutboxState"]
    } }>
  /** Evaluates the function of a kind of alias on blinded elements, with a proof (RFC 9497, POPRF, P256-SHA256). `POST /aliases/evaluations/{asker}` */
  evaluateAliases: Operation<{
    params: { asker: "institution" | "citizen" }
    headers?: { "Idempotency-Key"?: string }
    body: {
      kind: schemas["AliasKind"]
      blinded: schemas["PseudonymElement"][]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: {
      /** RFC 7638 thumbprint of the key */
      keyId: string
      evaluated: schemas["PseudonymElement"][]
      /** Base64url of two scalars */
      proof: string
    } }>
  /** Answers the tag of an alias with a masked name and an address for one payment. `POST /aliases/lookups/{asker}` */
  lookUpAlias: Operation<{
    params: { asker: "institution" | "citizen" }
    headers?: { "Idempotency-Key"?: string }
    body: {
      kind: schemas["AliasKind"]
      tag: schemas["AliasTag"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: {
      maskedName: schemas["AliasMaskedName"]
      paymentAddress: schemas["PaymentAddress"]
      /** Of the address */
      expires: string
    } }>
  /** Says which account the one payment goes to, and uses the address up. `POST /aliases/payment-addresses/resolution` */
  resolvePaymentAddress: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      paymentAddress: schemas["PaymentAddress"]
    }
  }, { status: 200; headers: Headers; body: {
      ledger: schemas["AliasLedger"]
      account: schemas["AliasAccount"]
    } }>
  /** Registers an alias for an account of a ledger, or changes and renews that. `POST /aliases/{kind}/registrations` */
  registerAlias: Operation<{
    params: { kind: schemas["AliasKind"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      ledger: schemas["AliasLedger"]
      account: schemas["AliasAccount"]
      tag?: schemas["AliasTag"]
      maskedName?: schemas["AliasMaskedName"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: {
      kind: schemas["AliasKind"]
      maskedName: schemas["AliasMaskedName"]
      ledger: schemas["AliasLedger"]
      account: schemas["AliasAccount"]
      expires: string
    } }>
  /** Takes an alias out; addresses that were given out for it lead nowhere. `POST /aliases/{kind}/removals` */
  removeAlias: Operation<{
    params: { kind: schemas["AliasKind"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      tag?: schemas["AliasTag"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: {
      kind: schemas["AliasKind"]
      state: "removed"
    } }>
  /** Registers that this agency keeps. `GET /registry/registers` */
  listRegisters: Operation<{}, { status: 200; headers: Headers; body: schemas["RegistryList"] }>
  /** What a register says, who may apply and how, what the public may see. `GET /registry/registers/{register}` */
  getRegister: Operation<{
    params: { register: string }
  }, { status: 200; headers: Headers; body: schemas["RegistryDefinition"] }>
  /** The public extract of an entry, now or as it stood at a moment. `GET /registry/entries/{entry}` */
  getEntry: Operation<{
    params: { entry: schemas["RegistryId"] }
    query?: { at?: string }
  }, { status: 200; headers: Headers; body: schemas["RegistryExtract"] }>
  /** What a token stands for (ERC-721 metadata), without anything the entry says. `GET /registry/tokens/{token}` */
  getTokenMetadata: Operation<{
    params: { token: string }
  }, { status: 200; headers: Headers; body: {
      name: string
      description: string
      external_url: string
      entry: schemas["RegistryId"]
      register: string
      number: string
      commitment: string
      state: schemas["RegistryState"]
      [member: string]: unknown
    } }>
  /** Finds entries by public fields, a page at a time. `POST /registry/registers/{register}/search` */
  searchEntries: Operation<{
    params: { register: string }
    body: {
      where: schemas["RegistryWhere"]
      state?: schemas["RegistryState"]
      after?: schemas["RegistryCursor"]
      limit?: number
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryPage"] }>
  /** Finds whole entries by any search field, for officers. `POST /registry/registers/{register}/officer-search` */
  searchEntriesAsOfficer: Operation<{
    params: { register: string }
    body: {
      where: schemas["RegistryWhere"]
      state?: schemas["RegistryState"]
      after?: schemas["RegistryCursor"]
      limit?: number
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryFullPage"] }>
  /** The whole entry, for its holder or an officer, now or as it stood. `GET /registry/registers/{register}/entries/{entry}` */
  getFullExtract: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    query?: { at?: string }
  }, { status: 200; headers: Headers; body: schemas["RegistryFullExtract"] }>
  /** How the entry came to say what it says, each step with a proof of its place in the log. `GET /registry/registers/{register}/entries/{entry}/history` */
  getEntryHistory: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    query?: { after?: number }
  }, { status: 200; headers: Headers; body: schemas["RegistryHistory"] }>
  /** Applications in one state, the oldest first, for officers. `GET /registry/registers/{register}/applications` */
  listApplications: Operation<{
    params: { register: string }
    query?: { state?: schemas["RegistryApplicationState"]; after?: string; limit?: number }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplications"] }>
  /** Applies for an entry, its renewal or its amendment. `POST /registry/registers/{register}/applications` */
  applyToRegister: Operation<{
    params: { register: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      purpose?: "grant" | "renewal" | "amendment"
      entry?: schemas["RegistryId"]
      fields?: schemas["RegistryFields"]
      holder?: schemas["RegistryHolder"]
      holderProof?: schemas["RegistryHolderProof"]
      wallet?: schemas["RegistryWallet"]
      attachments?: schemas["RegistryAttachment"][]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["RegistryApplication"] }>
  /** An application, for whoever applied or an officer. `GET /registry/registers/{register}/applications/{application}` */
  getApplication: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] }>
  /** Completes an application as the officer asked. `POST /registry/registers/{register}/applications/{application}/resubmission` */
  resubmitApplication: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body?: {
      fields?: schemas["RegistryFields"]
      attachments?: schemas["RegistryAttachment"][]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] }>
  /** Takes an application back before it is decided. `POST /registry/registers/{register}/applications/{application}/withdrawal` */
  withdrawApplication: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body?: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] }>
  /** The credential that came of the application, for the wallet of whoever applied. `POST /registry/registers/{register}/applications/{application}/credential` */
  collectCredential: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    body?: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryCredential"] }>
  /** The content of an attachment, for whoever applied or an officer. `GET /registry/registers/{register}/applications/{application}/attachments/{name}` */
  getAttachment: Operation<{
    params: { register: string; application: schemas["RegistryId"]; name: string }
  }, { status: 200; headers: Headers; body: schemas["RegistryContent"] }>
  /** Hands in the content of an attachment that the application names by its digest. `PUT /registry/registers/{register}/applications/{application}/attachments/{name}` */
  putAttachment: Operation<{
    params: { register: string; application: schemas["RegistryId"]; name: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Base64 */
      content: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryAttachment"] }>
  /** An officer takes the application into review. `POST /registry/registers/{register}/applications/{application}/review` */
  takeApplication: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body?: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] }>
  /** Sends the application back, saying what is wanted. `POST /registry/registers/{register}/applications/{application}/changes` */
  askForChanges: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      asked: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] }>
  /** Refuses the application, with reasons and on a legal basis. `POST /registry/registers/{register}/applications/{application}/refusal` */
  refuseApplication: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      reasons: string[]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Grants the application; entry, credential and token come about in one act. `POST /registry/registers/{register}/applications/{application}/grant` */
  grantApplication: Operation<{
    params: { register: string; application: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      fields?: schemas["RegistryFields"]
      validUntil?: string
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryApplication"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Enters many, a line each, or grants an application a line; answered in order. `POST /registry/registers/{register}/grants` */
  grantEntries: Operation<{
    params: { register: string }
    headers?: { "Idempotency-Key"?: string }
    body: Lines<schemas["RegistryGrant"]>
  }, { status: 200; headers: Headers; body: AsyncIterable<unknown> }>
  /** Changes what an entry says, or the key it is issued to; the credential is issued anew. `POST /registry/registers/{register}/entries/{entry}/amendment` */
  amendEntry: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      fields: schemas["RegistryFields"]
      holder?: schemas["RegistryHolder"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      /** Number of the order it is done under */
      order?: string
      /** Refused if the entry has another by then */
      version?: number
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryExtract"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Suspends an entry, its credential and its token. `POST /registry/registers/{register}/entries/{entry}/suspension` */
  suspendEntry: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      /** Number of the order it is done under */
      order?: string
      /** Refused if the entry has another by then */
      version?: number
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryExtract"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Ends a suspension. `POST /registry/registers/{register}/entries/{entry}/reinstatement` */
  reinstateEntry: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      /** Number of the order it is done under */
      order?: string
      /** Refused if the entry has another by then */
      version?: number
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryExtract"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Revokes an entry for good. `POST /registry/registers/{register}/entries/{entry}/revocation` */
  revokeEntry: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      /** Number of the order it is done under */
      order?: string
      /** Refused if the entry has another by then */
      version?: number
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["RegistryExtract"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Parcels in a box, as GeoJSON, a page at a time. `GET /registry/registers/{register}/parcels` */
  listParcels: Operation<{
    params: { register: string }
    query: { bbox: string; after?: string; limit?: number }
  }, { status: 200; headers: Headers; body: schemas["LandParcels"] }>
  /** First registration of land, with its parcels and owners. `POST /registry/registers/{register}/titles` */
  registerTitle: Operation<{
    params: { register: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      fields: schemas["RegistryFields"]
      parcels: schemas["LandParcelInput"][]
      owners: schemas["LandOwnerInput"][]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      documents?: schemas["LandSha256"][]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Makes one title of several with the same owners and encumbrances. `POST /registry/registers/{register}/titles/merger` */
  mergeTitles: Operation<{
    params: { register: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      titles: schemas["RegistryId"][]
      parcel: schemas["LandParcelInput"]
      fields?: schemas["RegistryFields"]
      survey: schemas["LandSurvey"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** A title, its land, and the kinds of what lies on it, now or as it stood. `GET /registry/registers/{register}/titles/{title}` */
  getTitle: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    query?: { at?: string }
  }, { status: 200; headers: Headers; body: schemas["LandExtract"] }>
  /** The whole title with owners, creditors and terms, for those with a right in it, notaries and officers. `GET /registry/registers/{register}/titles/{title}/full` */
  getFullTitle: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    query?: { at?: string }
  }, { status: 200; headers: Headers; body: schemas["LandFullExtract"] }>
  /** The owner’s credential of the title, bound to the key proved now. `POST /registry/registers/{register}/titles/{title}/credential` */
  collectTitle: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body?: {
      /** A new one, which ends the one before */
      replace?: boolean
      holderProof?: schemas["RegistryHolderProof"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandCredential"] }>
  /** Makes several titles of one; area, shares and encumbrances are conserved. `POST /registry/registers/{register}/titles/{title}/split` */
  splitTitle: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      parts: {
        parcel: schemas["LandParcelInput"]
        fields?: schemas["RegistryFields"]
      }[]
      survey: schemas["LandSurvey"]
      /** Refused if the title has another by then */
      version?: number
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandTitles"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** How the price of a deed is reserved so that title and money change hands together. `GET /registry/payment-terms` */
  getPaymentTerms: Operation<{}, { status: 200; headers: Headers; body: {
      ledger: string
      currency: number
      arbiter: number
      marginSeconds: number
    } }>
  /** Seller, buyer and notary transfer a share of a title. `POST /registry/registers/{register}/titles/{title}/transfer` */
  transferTitle: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the title as the parties have seen it */
      version: number
      share: schemas["LandShare"]
      price: schemas["LandAmount"]
      /** Ids of all encumbrances that getTitle shows, which the buyer takes on; none if there are none */
      consents: schemas["RegistryId"][]
      wallet?: schemas["RegistryWallet"]
      payment?: {
        reference: string
        /** The seller's account on the ledger */
        payeeAccount: number
      }
      documentSha256?: schemas["LandSha256"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentations?: schemas["Presentations"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] }>
  /** Lender, owner and notary register a mortgage behind those that stand. `POST /registry/registers/{register}/titles/{title}/mortgages` */
  registerMortgage: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the title as the parties have seen it */
      version: number
      amount: schemas["LandAmount"]
      terms?: string
      documentSha256?: schemas["LandSha256"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentations?: schemas["Presentations"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandTitle"] }>
  /** A co-owner agrees to a mortgage that the others will conclude. `POST /registry/registers/{register}/titles/{title}/mortgages/consents` */
  consentToMortgage: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      lender: {
        /** Of its licence */
        issuer: string
        registrationNumber: string
      }
      /** Of the title as the parties have seen it */
      version: number
      amount: schemas["LandAmount"]
      terms?: string
      documentSha256?: schemas["LandSha256"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandConsent"] }>
  /** The lender releases the land. `POST /registry/registers/{register}/titles/{title}/mortgages/{mortgage}/discharge` */
  dischargeMortgage: Operation<{
    params: { register: string; title: schemas["RegistryId"]; mortgage: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] }>
  /** An officer releases the land on a court’s order. `POST /registry/registers/{register}/titles/{title}/mortgages/{mortgage}/discharge-by-order` */
  dischargeByOrder: Operation<{
    params: { register: string; title: schemas["RegistryId"]; mortgage: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      order: schemas["LandOrder"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** A lender steps behind the next in rank, with that lender and an owner. `POST /registry/registers/{register}/titles/{title}/mortgages/{mortgage}/postponement` */
  postponeMortgage: Operation<{
    params: { register: string; title: schemas["RegistryId"]; mortgage: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the title as the parties have seen it */
      version: number
      behind: schemas["RegistryId"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentations?: schemas["Presentations"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] }>
  /** A caveat or a court’s order blocks the title and freezes its token. `POST /registry/registers/{register}/titles/{title}/orders` */
  lodgeCaveat: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      kind: "caveat" | "court-order"
      order: schemas["LandOrder"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Lifts a caveat or a court’s order. `POST /registry/registers/{register}/titles/{title}/orders/{order}/lifting` */
  liftCaveat: Operation<{
    params: { register: string; title: schemas["RegistryId"]; order: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      order?: schemas["LandOrder"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Enters a usufruct, a lease, an easement or a responsibility. `POST /registry/registers/{register}/titles/{title}/interests` */
  registerInterest: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      kind: "usufruct" | "lease" | "easement" | "responsibility"
      for?: schemas["LandPartyInput"]
      description: string
      documentSha256?: schemas["LandSha256"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Ends a usufruct, a lease, an easement or a responsibility. `POST /registry/registers/{register}/titles/{title}/interests/{interest}/end` */
  endInterest: Operation<{
    params: { register: string; title: schemas["RegistryId"]; interest: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Corrects what a title says of its land; credentials are issued anew. `POST /registry/registers/{register}/titles/{title}/amendment` */
  amendTitle: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the title as it was read */
      version: number
      fields: schemas["RegistryFields"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Gives a share to another under a court’s order, past what blocks the title. `POST /registry/registers/{register}/titles/{title}/orders/execution` */
  transferByOrder: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the title as it was read */
      version: number
      order: schemas["LandOrder"]
      from: schemas["RegistryId"]
      to: schemas["LandPartyInput"]
      share: schemas["LandShare"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** The heirs of a certificate of inheritance take the place of an owner. `POST /registry/registers/{register}/titles/{title}/succession` */
  registerSuccession: Operation<{
    params: { register: string; title: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the title as the parties have seen it */
      version: number
      deceased: schemas["RegistryId"]
      heirs: schemas["LandOwnerInput"][]
      certificate: schemas["LandOrder"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["LandTitle"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Opens a class of units, with a cap. `POST /registry/registers/{register}/classes` */
  openAssetClass: Operation<{
    params: { register: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      fields: schemas["RegistryFields"]
      cap: schemas["AssetAmount"]
      validUntil?: string
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["AssetClass"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** What a class is, and how much of it there is. `GET /registry/registers/{register}/classes/{entry}` */
  getAssetClass: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
  }, { status: 200; headers: Headers; body: schemas["AssetClass"] }>
  /** More or fewer units may exist from now on. `POST /registry/registers/{register}/classes/{entry}/cap` */
  changeAssetCap: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      cap: schemas["AssetAmount"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["AssetClass"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Issues units to a holder, within the cap. `POST /registry/registers/{register}/classes/{entry}/issues` */
  issueUnits: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      to: schemas["LandPartyInput"]
      amount: schemas["AssetAmount"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["AssetClass"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Retires units of a holder that no order holds. `POST /registry/registers/{register}/classes/{entry}/retirements` */
  retireUnits: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      from: schemas["LandPartyInput"]
      amount: schemas["AssetAmount"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["AssetClass"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Giver and receiver pass units on. `POST /registry/registers/{register}/classes/{entry}/transfers` */
  transferUnits: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      amount: schemas["AssetAmount"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentations?: schemas["Presentations"]
    }
  }, { status: 201; headers: Headers; body: schemas["AssetMovement"] }>
  /** Brings the tokens of one’s units to one’s own wallet, or back to the registrar. `POST /registry/registers/{register}/classes/{entry}/wallet` */
  placeHolding: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      wallet: string | null
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["AssetHolding"] }>
  /** One’s holding as a credential, good until the holding changes. `POST /registry/registers/{register}/classes/{entry}/certificate` */
  certifyHolding: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["RegistryCredential"] }>
  /** An order holds units of a holder where they are. `POST /registry/registers/{register}/classes/{entry}/freezes` */
  freezeUnits: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      of: schemas["LandPartyInput"]
      amount: schemas["AssetAmount"]
      order: schemas["LandOrder"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["AssetFreeze"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Lifts a freeze. `POST /registry/registers/{register}/classes/{entry}/freezes/{freeze}/lifting` */
  liftUnitsFreeze: Operation<{
    params: { register: string; entry: schemas["RegistryId"]; freeze: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      order?: schemas["LandOrder"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["AssetFreeze"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Moves units under an order, past a freeze that it names. `POST /registry/registers/{register}/classes/{entry}/forced-transfers` */
  forceTransferUnits: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      from: schemas["LandPartyInput"]
      to: schemas["LandPartyInput"]
      amount: schemas["AssetAmount"]
      order: schemas["LandOrder"]
      freeze?: schemas["RegistryId"]
      legalBasis: schemas["RegistryLegalBasis"]
      reason?: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["AssetMovement"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Holdings of a class, all for officers and their own for holders. `GET /registry/registers/{register}/classes/{entry}/holdings` */
  listHoldings: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    query?: { after?: schemas["RegistryId"] }
  }, { status: 200; headers: Headers; body: schemas["AssetHoldings"] }>
  /** Movements of units with their proofs, all for officers and their own for holders. `GET /registry/registers/{register}/classes/{entry}/movements` */
  listMovements: Operation<{
    params: { register: string; entry: schemas["RegistryId"] }
    query?: { after?: schemas["RegistryId"] }
  }, { status: 200; headers: Headers; body: schemas["AssetMovements"] }>
  /** A token as it stands on the chain. `GET /stablecoins/{currency}` */
  getStablecoin: Operation<{
    params: { currency: string }
  }, { status: 200; headers: Headers; body: schemas["CoinStanding"] }>
  /** How far a mint, an attestation or an order has come on the chain. `GET /stablecoins/{currency}/acts/{act}` */
  getCoinAct: Operation<{
    params: { currency: string; act: string }
  }, { status: 200; headers: Headers; body: schemas["CoinAct"] }>
  /** The licence on which the issuer mints from now on. `POST /stablecoins/{currency}/licence` */
  presentCoinLicence: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** The credential as it was issued (vc+jwt, jwt_vc) */
      licence: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: {
      currency: number
      issuer: string
      number: string
      presentedAt: string
    } }>
  /** Mints tokens to the wallet of somebody with KYC in force. `POST /stablecoins/{currency}/mints` */
  mintTokens: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      wallet: schemas["WalletAddress"]
      amountMinor: schemas["CbdcAmountPositive"]
      reference: string
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinAct"] | {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Sets what a minter may mint and burn a day. `POST /stablecoins/{currency}/limits` */
  setCoinLimits: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      minter?: schemas["WalletAddress"]
      mintingMinor: schemas["CbdcAmountStated"]
      burningMinor: schemas["CbdcAmountStated"]
      reference: string
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinAct"] | {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** What the attestor said of the reserve, the newest first. `GET /stablecoins/{currency}/attestations` */
  listAttestations: Operation<{
    params: { currency: string }
  }, { status: 200; headers: Headers; body: ({
      items: (({
        act: string
        reserveMinor: schemas["CbdcAmount"]
        asOf: string
        validUntil: string
        reportDigest: string
        state: schemas["CoinActState"]
        reason: string | null
      })[])
    }) }>
  /** The attestor says on the chain what the reserve was. `POST /stablecoins/{currency}/attestations` */
  attestReserve: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      reserveMinor: schemas["CbdcAmountStated"]
      asOf: string
      validUntil: string
      /** SHA-256 of the report in hex */
      reportDigest: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinAct"] | {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Redemptions that are not at their end, the oldest first, with whom to pay. `GET /stablecoins/{currency}/redemptions` */
  listTokenRedemptions: Operation<{
    params: { currency: string }
  }, { status: 200; headers: Headers; body: ({
      items: (({
        redemption: string
        currency: number
        amountMinor: schemas["CbdcAmount"]
        state: schemas["CoinRedemptionState"]
        reason: string | null
        since: string
        changed: string
        wallet: string
        payTo: string
      })[])
    }) }>
  /** A customer gives tokens back and is to be paid. `POST /stablecoins/{currency}/redemptions` */
  redeemTokens: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      wallet: schemas["WalletAddress"]
      amountMinor: schemas["CbdcAmountPositive"]
      authorization: {
        /** Seconds */
        validAfter: number
        /** Seconds; ten minutes from now at least */
        validBefore: number
        nonce: string
        signature: string
      }
      /** Where the issuer pays to */
      payTo: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinRedemption"] }>
  /** How far a redemption has come, for whoever has its id. `GET /stablecoins/{currency}/redemptions/{redemption}` */
  getTokenRedemption: Operation<{
    params: { currency: string; redemption: string }
  }, { status: 200; headers: Headers; body: schemas["CoinRedemption"] }>
  /** Has the burn tried again that the chain refused. `POST /stablecoins/{currency}/redemptions/{redemption}/burn` */
  burnRedeemed: Operation<{
    params: { currency: string; redemption: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinRedemption"] }>
  /** The customer was paid, with a reference that serves once. `POST /stablecoins/{currency}/redemptions/{redemption}/payment` */
  payRedemption: Operation<{
    params: { currency: string; redemption: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      payment: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CoinRedemption"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Freezes a wallet under an order, or so much of what is in it. `POST /stablecoins/{currency}/freezes` */
  freezeWallet: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      wallet: schemas["WalletAddress"]
      amountMinor?: schemas["CbdcAmountPositive"]
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinAct"] | {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Lifts a freeze under an order; others on the same wallet stay. `POST /stablecoins/{currency}/freezes/{freeze}/lifting` */
  unfreezeWallet: Operation<{
    params: { currency: string; freeze: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinAct"] | {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Moves tokens from one wallet to another under an order. `POST /stablecoins/{currency}/forced-transfers` */
  forceTransfer: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      from: schemas["WalletAddress"]
      to: schemas["WalletAddress"]
      amountMinor: schemas["CbdcAmountPositive"]
      /** Id of the act that froze it */
      freeze?: string
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: schemas["CoinAct"] | {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Opens an account of the caller's on the ledger, for a key of theirs. `POST /cbdc/accounts` */
  openAccount: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: ({
      /** Of the caller's choosing; an alias of the number */
      id: string
      currency: number
      /** A merchant’s bank makes it a merchant’s account */
      class: "person" | "purse" | "purpose"
      programme?: schemas["CbdcProgrammeName"]
      /** 1: secp256k1. 2: P-256 */
      scheme: 1 | 2
      /** Of the compressed point (SEC 1) */
      prefix: 2 | 3
      x: string
      presentation?: schemas["Presentation"]
    })
  }, { status: 201; headers: Headers; body: {
      id: string
      account: number
      currency: number
      nonce: number
      openedAt: string
    } }>
  /** Hands in what the owner of an account signed; several records stand or fall together. `POST /cbdc/records` */
  submitRecords: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      records: schemas["CbdcPaymentRecord"][]
      settles?: schemas["CbdcPaymentRequestId"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: {
      entries: schemas["LedgerEntered"][]
    } }>
  /** Gives the calling institution an account under whose key it decides on reservations. `POST /cbdc/arbiters` */
  openArbiter: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      currency: number
      scheme: 1 | 2
      prefix: 2 | 3
      x: string
    }
  }, { status: 201; headers: Headers; body: {
      account: number
      currency: number
    } }>
  /** Shows a reservation to the institution that decides on it. `POST /cbdc/reserved-funds/inspection` */
  inspectReservedFunds: Operation<{
    body: {
      reservation: number
    }
  }, { status: 200; headers: Headers; body: {
      reservation: number
      payer: number
      payee: number
      currency: string
      amountMinor: string
      remainingMinor: string
      postedMinor: string
      expires: string
      /** Whether a preimage is needed besides */
      locked: boolean
      state: "pending" | "posted" | "voided" | "expired"
    } }>
  /** Posts or voids reservations by what their arbiter signed. `POST /cbdc/reserved-funds` */
  decideReservation: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      records: schemas["LedgerRecord"][]
    }
  }, { status: 201; headers: Headers; body: {
      entries: {
        entry: number
        batch: number
        at: string
      }[]
    } }>
  /** Moves between the ledger and the chain that have not ended, oldest first. `GET /cbdc/moves/{currency}` */
  listOpenMoves: Operation<{
    params: { currency: string }
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: schemas["RailOpenMoves"] }>
  /** How far a move between the ledger and the chain has come. `GET /cbdc/moves/{currency}/{operation}` */
  getMove: Operation<{
    params: { currency: string; operation: string }
  }, { status: 200; headers: Headers; body: {
      operation: string
      state: schemas["RailMoveState"]
      direction: "toChain" | "toLedger"
      /** Why it waits, where it does */
      reason: string | null
      since: string
      changed: string
    } }>
  /** Decides about a move that does not go on by itself. `POST /cbdc/moves/{currency}/{operation}/decision` */
  decideMove: Operation<{
    params: { currency: string; operation: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      decision: "cancel" | "return" | "settle" | "refund" | "credit" | "resend"
      wallet?: schemas["WalletAddress"]
      legalBasis: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 202; headers: Headers; body: {
      currency: number
      operation: string
      direction: "toChain" | "toLedger"
      account: number
      wallet: string
      state: schemas["RailMoveState"]
      reason: string | null
      /** That took the money out of the ledger or put it in */
      entry: number | null
      /** That gave it back */
      refund: number | null
      amountMinor: string
      since: string
      changed: string
    } }>
  /** Hands in records of a bank's customers, many at once, each chain all or nothing. `POST /cbdc/batches` */
  submitBatch: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      chains: schemas["CbdcPaymentRecord"][][]
    }
  }, { status: 200; headers: Headers; body: ({
      chains: (((({
        outcome: "refused"
        code: string
        detail: string
      } | {
        outcome: "entered"
        id?: string
        entry: number
        batch: number
        at: string
        balanceMinor: schemas["LedgerBalance"]
      })[]))[])
    }) }>
  /** What the caller is asked to pay, or asks for, in a currency; newest first. `GET /cbdc/payment-requests` */
  listPaymentRequests: Operation<{
    query: { currency: string; as?: "payer" | "payee"; state?: schemas["CbdcPaymentRequestState"]; limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["CbdcPaymentRequest"][]
      next?: string
    } }>
  /** Asks for a payment to an account of the caller's (ISO 20022 pain.013). `POST /cbdc/payment-requests` */
  requestPayment: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      id: schemas["CbdcPaymentRequestId"]
      payeeAccount: schemas["CbdcAccountNumber"]
      payerAccount?: schemas["CbdcAccountNumber"]
      amountMinor: string
      /** Within 90 days */
      expires: string
      referenceDigest?: schemas["CbdcReferenceDigest"]
      shares?: {
        account: schemas["CbdcAccountNumber"]
        numerator: schemas["CbdcShareTerm"]
        denominator: schemas["CbdcShareTerm"]
      }[]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcPaymentRequest"] }>
  /** A request to pay with the legs to sign, and what came of it (pain.014). `GET /cbdc/payment-requests/{request}` */
  getPaymentRequest: Operation<{
    params: { request: schemas["CbdcPaymentRequestId"] }
  }, { status: 200; headers: Headers; body: schemas["CbdcPaymentRequest"] }>
  /** Declines a request to pay, by whom it asks. `POST /cbdc/payment-requests/{request}/refusal` */
  declinePaymentRequest: Operation<{
    params: { request: schemas["CbdcPaymentRequestId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcPaymentRequest"] }>
  /** Takes a request to pay back, by its payee. `POST /cbdc/payment-requests/{request}/withdrawal` */
  withdrawPaymentRequest: Operation<{
    params: { request: schemas["CbdcPaymentRequestId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcPaymentRequest"] }>
  /** Payments that wait for funds, of the calling institution or to it. `GET /cbdc/interbank/payments` */
  listQueue: Operation<{
    query?: { direction?: "outgoing" | "incoming"; limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: schemas["InterbankPayments"] }>
  /** Pays another institution on reserve accounts, gross and in real time. `POST /cbdc/interbank/payments` */
  settleInterbank: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      id: schemas["InterbankPaymentId"]
      record: schemas["InterbankRecord"]
      priority: schemas["InterbankPriority"]
      /** Whether it may wait */
      queue: boolean
      behind?: schemas["LedgerRecord"][]
    }
  }, { status: 201; headers: Headers; body: schemas["InterbankPayment"] } | { status: 202; headers: Headers; body: schemas["InterbankPayment"] }>
  /** Takes a payment that waits out of the queue. `POST /cbdc/interbank/payments/{payment}/cancellation` */
  cancelQueued: Operation<{
    params: { payment: schemas["InterbankPaymentId"] }
    headers?: { "Idempotency-Key"?: string }
    body: Record<string, never>
  }, { status: 200; headers: Headers; body: schemas["InterbankPayment"] }>
  /** Gives payments that wait other priorities and, signed anew, other places. `POST /cbdc/interbank/priorities` */
  reprioritise: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      payments: {
        id: schemas["InterbankPaymentId"]
        priority: schemas["InterbankPriority"]
        record?: schemas["InterbankRecord"]
      }[]
    }
  }, { status: 200; headers: Headers; body: schemas["InterbankPayments"] }>
  /** Opens a window in which obligations between institutions are netted. `POST /cbdc/interbank/windows` */
  openNettingWindow: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      currency: number
      /** Within a day */
      closesAt: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["NettingWindow"] }>
  /** A netting window, and what concerns the calling institution in it. `GET /cbdc/interbank/windows/{window}` */
  getNettingWindow: Operation<{
    params: { window: schemas["InterbankPaymentId"] }
  }, { status: 200; headers: Headers; body: schemas["NettingView"] }>
  /** Takes part in a netting window, with the funds that may come to be owed. `POST /cbdc/interbank/windows/{window}/participants` */
  joinNetting: Operation<{
    params: { window: schemas["InterbankPaymentId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      funds?: schemas["LedgerRecord"]
      capMinor?: schemas["CbdcAmount"]
      bilateral?: {
        account: number
        capMinor: schemas["CbdcAmount"]
      }[]
    }
  }, { status: 201; headers: Headers; body: {
      window: string
      account: number
      capMinor: schemas["CbdcAmount"]
      reservation?: number
    } }>
  /** Hands in what the calling institution owes others. `POST /cbdc/interbank/windows/{window}/obligations` */
  submitObligations: Operation<{
    params: { window: schemas["InterbankPaymentId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      obligations: {
        id: schemas["InterbankPaymentId"]
        payee: number
        amountMinor: schemas["CbdcAmount"]
        priority: schemas["InterbankPriority"]
        reference?: string
      }[]
    }
  }, { status: 201; headers: Headers; body: {
      items: schemas["NettingObligation"][]
    } }>
  /** Resolves a netting window that has closed. `POST /cbdc/interbank/windows/{window}/resolution` */
  resolveNetting: Operation<{
    params: { window: schemas["InterbankPaymentId"] }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["NettingResolution"] }>
  /** Offers a signed transfer for a payment in another currency. `POST /cbdc/exchanges/{party}` */
  offerExchange: Operation<{
    params: { party: "customer" | "institution" }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the transfer: a UUIDv7 (RFC 9562) of now */
      id: string
      /** A signed transfer in base64url */
      record: string
      counterFrom: schemas["ExchangeAccount"]
      counterTo: schemas["ExchangeAccount"]
      counterCurrency: number
      counterAmountMinor: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["ExchangeView"] }>
  /** An exchange, for its two parties. `GET /cbdc/exchanges/{party}/{exchange}` */
  getExchange: Operation<{
    params: { party: "customer" | "institution"; exchange: string }
  }, { status: 200; headers: Headers; body: schemas["ExchangeView"] }>
  /** Accepts an offer with exactly the payment that it asks for. `POST /cbdc/exchanges/{party}/{exchange}/acceptance` */
  acceptExchange: Operation<{
    params: { party: "customer" | "institution"; exchange: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** Of the transfer: a UUIDv7 (RFC 9562) of now */
      id: string
      /** A signed transfer in base64url */
      record: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["ExchangeView"] }>
  /** Takes back an offer that stands. `POST /cbdc/exchanges/{party}/{exchange}/withdrawal` */
  withdrawExchange: Operation<{
    params: { party: "customer" | "institution"; exchange: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["ExchangeView"] }>
  /** How far apart two legs under one hash have to expire when one is here and the other on the chain. `GET /cbdc/lock-terms` */
  getLockTerms: Operation<{}, { status: 200; headers: Headers; body: ({
      ledgerTime: string
      chainId: number
      /** Address of the contract that holds the chain's leg */
      settlement: string
      /** Until a block of the chain cannot be undone */
      finalitySeconds: number
      /** To see a claim and to make one's own */
      marginSeconds: number
      currencies: (({
        number: number
        code: string
        decimals: number
        /** How far ahead a reservation may expire */
        reservationMostSeconds: number
        /** Address of its money on the chain */
        money: string | null
      })[])
    }) }>
  /** Holds a reservation against the chain's lock that is its other leg, and says which conditions hold. `POST /cbdc/views/{reader}/reservations/{reservation}/lock` */
  inspectLock: Operation<{
    params: { reader: "customer" | "institution" | "officer"; reservation: string }
    body: {
      lock: schemas["ExchangeLock"]
      /** Which leg is claimed first */
      first: "ledger" | "chain"
      /** What the parties agreed for the ledger's leg */
      ledgerAmountMinor: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["ExchangeInspection"] }>
  /** The currencies of the ledger, with the accounts that are their own. `GET /cbdc/currencies` */
  listCurrencies: Operation<{}, { status: 200; headers: Headers; body: schemas["CbdcCurrencies"] }>
  /** Opens a currency with its own accounts and its first policy. `POST /cbdc/currencies` */
  openCurrency: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** In every entry; the same as on the chain */
      number: number
      code: string
      /** Of the minor unit, and of the token */
      decimals: number
      /** Where all of it is issued; on the other rail there is never more than is locked here */
      home: "ledger" | "chain"
      policy: schemas["CbdcPolicyBody"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcCurrency"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** What counts for a currency, now or at a time, and what will. `GET /cbdc/currencies/{currency}/policy` */
  getPolicy: Operation<{
    params: { currency: string }
    query?: { at?: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcPolicies"] }>
  /** What counts for a currency from a time on. `POST /cbdc/currencies/{currency}/policy` */
  setPolicy: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      validFrom: string
      policy: schemas["CbdcPolicyBody"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcPolicySet"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** The institutions with a reserve account. `GET /cbdc/currencies/{currency}/participants` */
  listParticipants: Operation<{
    params: { currency: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcParticipants"] }>
  /** Admits an institution, which gets its reserve account. `POST /cbdc/currencies/{currency}/participants` */
  admitParticipant: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: ({
      did: string
      name: string
      issuanceLimitMinor: schemas["CbdcAmountStated"]
      /** 1: secp256k1. 2: P-256 */
      scheme: 1 | 2
      /** Of the compressed point (SEC 1) */
      prefix: 2 | 3
      x: string
      presentation?: schemas["Presentation"]
    })
  }, { status: 201; headers: Headers; body: schemas["CbdcParticipant"] }>
  /** Ends the admission of an institution; what is on its account stays. `POST /cbdc/currencies/{currency}/participants/ending` */
  endParticipant: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      did: string
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcParticipant"] }>
  /** Issues money to an institution's reserve account, within its limit. `POST /cbdc/currencies/{currency}/issuance` */
  issueMoney: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      participant: string
      amountMinor: schemas["CbdcAmountPositive"]
      reference: string
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Requests for redemption that wait, oldest first. `GET /cbdc/currencies/{currency}/redemptions` */
  listRedemptions: Operation<{
    params: { currency: string }
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcRedemptions"] }>
  /** An institution asks to give money back to the central bank. `POST /cbdc/currencies/{currency}/redemptions` */
  requestRedemption: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      amountMinor: schemas["CbdcAmountPositive"]
      reference: string
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcRedemption"] }>
  /** Computes interest of a day for the next accounts in turn; ask again until it is complete. `POST /cbdc/currencies/{currency}/interest` */
  accrueInterest: Operation<{
    params: { currency: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** A day (UTC) that has ended */
      day: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcInterest"] }>
  /** Takes the money that an institution gives back out of circulation. `POST /cbdc/redemptions/{redemption}/execution` */
  redeemMoney: Operation<{
    params: { redemption: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Refuses a request for redemption. `POST /cbdc/redemptions/{redemption}/refusal` */
  refuseRedemption: Operation<{
    params: { redemption: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      reason: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcRedemption"] }>
  /** The institution takes its own request back. `POST /cbdc/redemptions/{redemption}/withdrawal` */
  withdrawRedemption: Operation<{
    params: { redemption: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      reason: string
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcRedemption"] }>
  /** An order holds an amount on an account, or the account as a whole. `POST /cbdc/accounts/{account}/freezes` */
  freezeAccount: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      amountMinor?: schemas["CbdcAmountPositive"]
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] }>
  /** Lifts one freeze, whatever is left of it, and no other. `POST /cbdc/accounts/{account}/freezes/{order}/lifting` */
  unfreezeAccount: Operation<{
    params: { account: string; order: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Takes money from an account under an order, past its freezes. `POST /cbdc/accounts/{account}/seizures` */
  seizeFunds: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      amountMinor: schemas["CbdcAmountPositive"]
      /** Without it the treasury of the currency */
      to?: number
      /** A freeze that the order executes; what it holds is taken first */
      freeze?: string
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Orders for another key of the caller's own account, newest first. `GET /cbdc/accounts/{account}/key-orders` */
  listKeyOrders: Operation<{
    params: { account: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcKeyOrders"] }>
  /** Orders another key for an account whose owner lost theirs; executed after the delay of the policy. `POST /cbdc/accounts/{account}/key-orders` */
  orderKeyChange: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: ({
      /** 1: secp256k1. 2: P-256 */
      scheme: 1 | 2
      /** Of the compressed point (SEC 1) */
      prefix: 2 | 3
      x: string
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    })
  }, { status: 201; headers: Headers; body: schemas["CbdcKeyOrder"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** Executes an order for another key that is due; the service does so by itself as well. `POST /cbdc/key-orders/{order}/execution` */
  executeKeyOrder: Operation<{
    params: { order: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcKeyOrder"] }>
  /** Whoever has the key that stands says so, and the order ends. `POST /cbdc/key-orders/{order}/objection` */
  objectToKeyOrder: Operation<{
    params: { order: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      signature: string
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcKeyOrder"] }>
  /** An order closes an account on which nothing is left. `POST /cbdc/accounts/{account}/closing` */
  closeAccount: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      order: schemas["CbdcOrderName"]
      legalBasis: schemas["RegistryLegalBasis"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** The servicing institution closes a customer's account on which nothing is left. `POST /cbdc/accounts/{account}/customer-closing` */
  closeServedAccount: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      reference: string
      legalBasis: schemas["RegistryLegalBasis"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcOrdered"] }>
  /** The servicing institution says what its due diligence now comes to. `POST /cbdc/accounts/{account}/level` */
  setAccountLevel: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      level: number
      /** A merchant’s account has no holding limit and is swept */
      class?: "person" | "merchant"
      attestation: schemas["CbdcAttestation"]
      screened?: schemas["CbdcScreening"]
      jurisdiction?: string
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcLevel"] }>
  /** The programmes of purpose-bound money and their terms, those that have ended too. `GET /cbdc/programmes` */
  listProgrammes: Operation<{
    query?: { cursor?: string; limit?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["CbdcProgramme"][]
      next?: string
    } }>
  /** Opens a programme of purpose-bound money on behalf of its sponsor. `POST /cbdc/programmes` */
  openProgramme: Operation<{
    headers?: { "Idempotency-Key"?: string }
    body: {
      programme: schemas["CbdcProgrammeName"]
      currency: number
      title: string
      legalBasis: string
      /** A reserve or treasury account of the currency */
      sponsor: number
      payees: schemas["CbdcPayees"][]
      perBeneficiaryMinor?: schemas["CbdcAmountPositive"]
      endsAt: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcProgramme"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** The terms of a programme. `GET /cbdc/programmes/{programme}` */
  getProgramme: Operation<{
    params: { programme: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcProgramme"] }>
  /** Ends a programme before its time. `POST /cbdc/programmes/{programme}/end` */
  closeProgramme: Operation<{
    params: { programme: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      legalBasis: string
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcProgramme"] } | { status: 202; headers: Headers; body: {
      pendingAct: string
      state: "open"
      expires: string
      url: string
      [member: string]: unknown
    } }>
  /** What came of a programme's money, without persons. `GET /cbdc/views/{reader}/programmes/{programme}/sums` */
  getProgrammeSums: Operation<{
    params: { reader: "institution" | "officer"; programme: string }
  }, { status: 200; headers: Headers; body: {
      programme: string
      currency: number
      /** By the sponsor */
      grantedMinor: string
      /** To merchants, fees included */
      spentMinor: string
      /** Back from merchants */
      refundedMinor: string
      /** To the sponsor, after the end or given back */
      returnedMinor: string
      /** By orders of others */
      takenMinor: string
      /** On accounts of the programme now */
      heldMinor: string
    } }>
  /** A merchant shows a licence, and so can be paid with purpose-bound money. `POST /cbdc/accounts/{account}/qualifications/{credentialType}` */
  qualifyAccount: Operation<{
    params: { account: string; credentialType: "BusinessLicence" | "ProfessionalLicence" }
    headers?: { "Idempotency-Key"?: string }
    body: {
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: {
      account: number
      credentialType: string
      classes: string[]
      until: string
    } }>
  /** Gives a purse the certificate with which it pays offline. `POST /cbdc/accounts/{account}/purse-certificates` */
  goOffline: Operation<{
    params: { account: string }
    headers?: { "Idempotency-Key"?: string }
    body: {
      /** For how long payees take its vouchers */
      seconds?: number
      capMinor?: schemas["CbdcAmountPositive"]
      presentation?: schemas["Presentation"]
    }
  }, { status: 201; headers: Headers; body: schemas["CbdcPurseCertificate"] }>
  /** What of a purse's last certificate was entered, and until when it pays by vouchers alone. `GET /cbdc/views/{reader}/accounts/{account}/purse` */
  getPurse: Operation<{
    params: { reader: "customer" | "institution" | "officer"; account: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcPurse"] }>
  /** Enters vouchers that a purse signed offline. `POST /cbdc/vouchers/{presenter}` */
  syncVouchers: Operation<{
    params: { presenter: "customer" | "institution" }
    headers?: { "Idempotency-Key"?: string }
    body: {
      chains: {
        vouchers: schemas["CbdcVoucherRecord"][]
      }[]
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: {
      chains: {
        vouchers: schemas["CbdcVoucherOutcome"][]
      }[]
    } }>
  /** Purses that signed more than they may, with what proves it to anybody. `GET /cbdc/double-spends` */
  listDoubleSpends: Operation<{
    query?: { limit?: number; cursor?: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcDoubleSpends"] }>
  /** The domain in which owners sign their records, fixed at genesis. `GET /cbdc/ledger` */
  getLedger: Operation<{}, { status: 200; headers: Headers; body: {
      /** Who signs its receipts */
      did: string
      domain: schemas["WalletLedgerDomain"]
    } }>
  /** An account as it stands, with what can be spent and the nonce of what its owner signs next. `GET /cbdc/views/{reader}/accounts/{account}` */
  getAccount: Operation<{
    params: { reader: "customer" | "institution" | "officer"; account: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcAccount"] }>
  /** What an account held at a past time. `GET /cbdc/views/{reader}/accounts/{account}/balance` */
  getAccountAt: Operation<{
    params: { reader: "customer" | "institution" | "officer"; account: string }
    query: { at: string }
  }, { status: 200; headers: Headers; body: {
      account: number
      currency: number
      at: string
      balanceMinor: schemas["CbdcBalance"]
      entry: number
      entryAt: string
    } }>
  /** The entries of an account, newest first, a page at a time. `GET /cbdc/views/{reader}/accounts/{account}/entries` */
  listEntries: Operation<{
    params: { reader: "customer" | "institution" | "officer"; account: string }
    query?: { cursor?: string; limit?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["CbdcEntry"][]
      next?: string
    } }>
  /** What an account has instructed to be paid, newest first. `GET /cbdc/views/{reader}/accounts/{account}/instructions` */
  listInstructions: Operation<{
    params: { reader: "customer" | "institution" | "officer"; account: string }
    query?: { cursor?: string; limit?: string }
  }, { status: 200; headers: Headers; body: {
      items: schemas["CbdcInstruction"][]
      next?: string
    } }>
  /** A transfer by the id its sender gave it, for its parties. `GET /cbdc/views/{reader}/transfers/{transfer}` */
  getTransfer: Operation<{
    params: { reader: "customer" | "institution" | "officer"; transfer: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcTransfer"] }>
  /** The ledger's signed statement of a transfer, which its parties can show to anybody. `GET /cbdc/views/{reader}/transfers/{transfer}/receipt` */
  getReceipt: Operation<{
    params: { reader: "customer" | "institution" | "officer"; transfer: string }
  }, { status: 200; headers: Headers; body: {
      receipt: string
      refunds?: schemas["CbdcRefunds"]
      refundedMinor?: schemas["CbdcRefunded"]
    } }>
  /** A reservation and what became of it, for its payer, its payee and its arbiter. `GET /cbdc/views/{reader}/reservations/{reservation}` */
  getReservation: Operation<{
    params: { reader: "customer" | "institution" | "officer"; reservation: string }
  }, { status: 200; headers: Headers; body: schemas["CbdcReservation"] }>
  /** A batch of the ledger, its time and its Merkle root; nothing of its entries. `GET /cbdc/batches/{batch}` */
  getBatch: Operation<{
    params: { batch: string }
  }, { status: 200; headers: Headers; body: {
      number: number
      at: string
      firstEntry: number
      entries: number
      /** Hex */
      root: string
      /** A journal record among whose effects the root stands */
      journal: string | null
    } }>
  /** Lawful access, one account for one period, against a court's order that is presented for this request. `POST /cbdc/disclosures` */
  discloseAccount: Operation<{
    body: {
      account: number
      from: string
      until: string
      cursor?: string
      limit?: number
      presentation?: schemas["Presentation"]
    }
  }, { status: 200; headers: Headers; body: schemas["CbdcDisclosure"] }>
}
